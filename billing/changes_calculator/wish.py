"""One want of a request, next to what it is about. Pure."""

from dataclasses import dataclass

from ..catalog.values import PlanItem, PriceItem
from .licences import TRIAL, is_billed, is_grant
from .request import ChangeRequest, Want
from .snapshot import Element, Snapshot

CORE_FAMILY = "zone_plans"
INTERVALS = {
    "monthly": "month",
    "month": "month",
    "yearly": "year",
    "annual": "year",
    "annually": "year",
    "year": "year",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of one object; None where the want names nothing that we know."""

    request: ChangeRequest
    want: Want
    snapshot: Snapshot
    plan: PlanItem | None
    interval: str | None
    price: PriceItem | None
    element: Element | None

    @property
    def is_free(self) -> bool:
        """Whether what is wanted costs nothing by nature: the free tier."""
        return self.plan is not None and self.plan.is_free

    @property
    def is_ending(self) -> bool:
        """Whether nothing is bought by it: the free tier is wanted, or what there is, is to end."""
        return self.is_free or self.want.is_cancellation

    @property
    def already_holds(self) -> bool:
        """Whether the object has this plan at this interval already; its components are another question."""
        if self.element is None or self.plan is None:
            return False
        current = self.element.current
        is_this_plan = current.rate_plan_id == self.plan.id and (self.is_free or current.interval == self.interval)
        return is_this_plan and not self.changes_licence

    @property
    def changes_licence(self) -> bool:
        """Whether what somebody granted is to be paid for, or the other way round, or another grants it."""
        if self.element is None:
            return False
        held = self.element.license_source_id
        if self.want.licence is None:
            return is_grant(held)
        return held != self.want.licence.source or self.element.current.ends_at != self.want.licence.ends_at

    @property
    def is_on_trial(self) -> bool:
        """Whether what there is ends by itself: any other change goes before that."""
        return self.element is not None and self.element.license_source_id == TRIAL

    @property
    def has_schedule(self) -> bool:
        """Whether anything of the subscription, the plan or a component, changes at the end of the period."""
        if self.element is None:
            return False
        parts = self.snapshot.components(self.want.object_id, self.element.subscription_id)
        return any(element.scheduled for element in (self.element, *parts))

    @property
    def is_switch_due(self) -> bool:
        """Whether what there is was to be billed by another clock from now on: its time has come."""
        if self.element is None or self.element.scheduled is None or self.element.scheduled.rank == 0:
            return False
        later = self.element.scheduled
        return later.interval != self.element.current.interval and later.starts_at <= self.request.requested_at

    @property
    def moves_to(self) -> str | None:
        """The interval by which it is to be billed instead of another that bills it now; None: it stays."""
        if (
            self.element is None
            or self.price is None
            or self.is_ending
            or not is_billed(self.element.license_source_id)
        ):
            return None
        return self.interval if self.interval != self.element.current.interval else None

    @property
    def is_scheduled(self) -> bool:
        """Whether what is wanted is what there will be at the end of the period already."""
        if self.element is None or self.plan is None or not self.has_schedule:
            return False
        if self.is_granted_or_bought_on_trial or self.is_switch_due:
            return False
        if self.want.at_current_price:
            return self.waits_for_price_alone
        later = self.element.scheduled or self.element.current
        if self.want.is_cancellation or self.is_free or later.rank == 0:
            return later.rank == 0 and self.is_ending
        holds_plan = later.rate_plan_id == self.plan.id and later.interval == self.interval
        return holds_plan and all(each.value == self._later_count(each.name) for each in self.want.components)

    @property
    def waits_for_price_alone(self) -> bool:
        """Whether all that waits for the end of the period is another price, which nobody who has it asked for."""
        if self.element is None:
            return False
        parts = (self.element, *self.snapshot.components(self.want.object_id, self.element.subscription_id))
        return all(_is_same_at_another_price(part) for part in parts if part.scheduled)

    @property
    def is_granted_or_bought_on_trial(self) -> bool:
        """Whether it starts now whatever waits: a licence, or a purchase in the place of a trial."""
        return self.want.licence is not None or (self.is_on_trial and not self.is_ending)

    def _later_count(self, component_name: str) -> int | None:
        """So many of a component there will be, what the plan includes counted in; None: the plan has no such thing."""
        plan = self.plan
        included = (
            next((each.included for each in plan.components if each.name == component_name), None) if plan else None
        )
        element = self.snapshot.element(self.want.object_id, component_name)
        if included is None or element is None:
            return included
        return max(int((element.scheduled or element.current).value), included)

    @property
    def changes_components(self) -> bool:
        """Whether a component that the want names should have another value than it has."""
        included = {component.name: component.included for component in self.plan.components} if self.plan else {}
        for component in self.want.components:
            current = self.snapshot.element(self.want.object_id, component.name)
            if component.value != (current.current.value if current else included.get(component.name)):
                return True
        return False


def _is_same_at_another_price(element: Element) -> bool:
    now, then = element.current, element.scheduled
    return then is not None and (now.value, now.billed_quantity, now.interval) == (
        then.value,
        then.billed_quantity,
        then.interval,
    )


def consider(request: ChangeRequest, snapshot: Snapshot) -> tuple[Wish, ...]:
    """Return each want of the request next to the plan, price and element that it is about."""
    return tuple(_consider(request, want, snapshot) for want in request.wants)


def with_what_hangs_on_it(wishes: tuple[Wish, ...]) -> tuple[Wish, ...]:
    """
    Return the wishes, and with each that ends a zone's plan the wishes that end what needs one.

    Each add-on ends with what was paid for it, which may be later than the plan.
    """
    ended = [wish for wish in wishes if _ends_core_plan(wish)]
    return (*wishes, *(each for wish in ended for each in _dependents(wish)))


def _ends_core_plan(wish: Wish) -> bool:
    is_core = wish.plan is not None and wish.plan.product == CORE_FAMILY
    return is_core and wish.is_ending and wish.element is not None and wish.element.current.rank > 0


def _dependents(wish: Wish) -> list[Wish]:
    found = []
    named = {(each.want.object_id, each.plan.product) for each in consider(wish.request, wish.snapshot) if each.plan}
    for element in wish.snapshot.elements:
        hangs = (element.object_id, element.kind) == (wish.want.object_id, "enum") and element.product != CORE_FAMILY
        if hangs and element.scheduled is None and (element.object_id, element.product) not in named:
            phase = element.current
            want = Want(wish.want.object_kind, element.object_id, phase.rate_plan_id, phase.interval, (), True)
            found.append(_consider(wish.request, want, wish.snapshot))
    return found


def _consider(request: ChangeRequest, want: Want, snapshot: Snapshot) -> Wish:
    plan = snapshot.catalog.find(want.plan_name)
    element = snapshot.element(want.object_id, plan.product) if plan else None
    interval = _interval(want, plan, element)
    price = plan.prices.get(interval) if plan and interval and want.licence is None else None
    return Wish(request, want, snapshot, plan, interval, price, element)


def _interval(want: Want, plan: PlanItem | None, element: Element | None) -> str | None:
    """Nobody has to say how often: as what is paid for now, else monthly where it is sold, else whatever is."""
    if want.licence is not None:  # on the clock of what it takes the place of, if that is billed
        return element.current.interval if element and element.current.rank else "month"
    if want.interval_name:
        return INTERVALS.get(want.interval_name.lower())
    if plan and element and element.current.rank > 0 and element.current.interval in plan.prices:
        return element.current.interval
    return min(plan.prices, default=None) if plan else None
