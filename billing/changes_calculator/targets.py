"""What each wish makes of each component: the phase that is wanted next to the one that is. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from ..catalog.values import PlanItem, PriceItem
from ..objectproducts.phases import Phase
from .change_set import STRIPE, ElementChange
from .directions import Row, direction_of
from .granted import after_trial, granted_counts, granted_phase
from .licences import FREE_LICENSE, USAGE_LICENSE, is_grant
from .prices import sold_at
from .proration import period_containing
from .request import ChangeRequest
from .snapshot import Element
from .wish import Wish


@dataclass(frozen=True, slots=True)
class Target:
    """One component of one object. `after` None: the plan that is wanted includes what was bought before."""

    wish: Wish
    product: str
    kind: str
    element: Element | None
    after: Phase | None

    @property
    def before(self) -> Phase | None:
        return self.element.current if self.element else None

    @property
    def changes_licence(self) -> bool:
        """Whether what somebody granted is to be paid for, or the other way round, or another grants it."""
        if self.element is None or self.after is None:
            return False
        held, licence = self.element.license_source_id, self.wish.want.licence
        if licence is None:
            return is_grant(held)
        return held != licence.source or self.element.current.ends_at != licence.ends_at

    @property
    def goes(self) -> Row:
        """Which way the component goes, and why."""
        return direction_of(self.before, self.after, changes_licence=self.changes_licence)

    def change(self, *, why: str) -> ElementChange:
        """Return this target as a change of its OPE; what Stripe bills has its licence from Stripe."""
        request, want = self.wish.request, self.wish.want
        return ElementChange(
            ope_id=self.element.id if self.element else _id(request, want.object_id, self.product),
            is_new=self.element is None,
            object_kind=want.object_kind.value,
            object_id=want.object_id,
            product=self.product,
            kind=self.kind,
            subscription_id=_subscription_id(self.wish),
            before=self.before,
            after=self.after,
            license_source=_license_source(self.wish, self.after),
            why=why,
            replaces_scheduled=self.wish.has_schedule,
        )

    def at_period_end(self, starts_at: datetime) -> "Target":
        """Return this target as what holds from the end of what was paid; what goes then is the empty value."""
        assert self.wish.element is not None, "what shrinks was there before"
        before = self.before or self.wish.element.current
        if self.after is None or self.after.unit_amount_minor == 0:
            nothing = self.after or replace(before, value=0, price_id="", stripe_price_id="", billed_quantity=0)
            return replace(self, after=replace(nothing, rank=0, starts_at=starts_at, ends_at=None, unit_amount_minor=0))
        ends_at = period_containing(starts_at, self.after.interval, starts_at)[1]
        return replace(self, after=replace(self.after, starts_at=starts_at, ends_at=ends_at))

    def at_trial_end(self) -> "Target":
        """Return this target as what holds when the trial that is granted now is over."""
        plan = self.wish.plan
        assert plan is not None
        assert self.after is not None
        component = next((each for each in plan.components if each.name == self.product), None)
        return replace(self, after=after_trial(self.wish, self.after, component))

    def under_current_plan(self) -> "Target":
        """Return this count as it is billed until the plan shrinks: on top of what the plan of today includes."""
        assert self.after is not None
        assert self.wish.element is not None
        today = self.wish.snapshot.catalog.plans[self.wish.element.current.rate_plan_id]
        included = next(component.included for component in today.components if component.name == self.product)
        count = int(self.after.value)
        return replace(self, after=replace(self.after, rate_plan_id=today.id, billed_quantity=max(count - included, 0)))


def targets(wish: Wish) -> list[Target]:
    """Return what the wish makes of the plan's own slot, then of each component, those that stay the same too."""
    assert wish.plan is not None, "Validate lets no unknown plan through"
    if wish.want.is_cancellation and not wish.plan.is_free:
        return _endings(wish, wish.plan)
    if wish.want.licence is not None:
        return _granted(wish, wish.plan)
    plan = wish.plan
    price = sold_at(wish, wish.element, wish.price or next(iter(plan.prices.values())))
    tier = _phase(wish, plan, price, value=plan.id, rank=plan.rank, billed_quantity=1)
    return [Target(wish, plan.product, "enum", wish.element, tier), *_component_targets(wish, plan, price.interval)]


def _endings(wish: Wish, plan: PlanItem) -> list[Target]:
    """A plan that is cancelled ends with all that hangs on it; of a tier the free one remains."""
    if wish.element is None:
        return []
    free = next((tier for tier in wish.snapshot.catalog.tiers(plan.family_id) if tier.is_free), None)
    after = None
    if plan.kind == "enum" and free is not None:
        after = _phase(wish, free, next(iter(free.prices.values())), value=free.id, rank=0, billed_quantity=1)
    bought = wish.snapshot.components(wish.want.object_id, wish.element.subscription_id)
    return [
        Target(wish, plan.product, "enum", wish.element, after),
        *(Target(wish, element.product, "sum", element, None) for element in bought),
    ]


def _granted(wish: Wish, plan: PlanItem) -> list[Target]:
    """What a licence gives: the plan, and of each component as many as are wanted or were there."""
    tier = granted_phase(wish, plan, value=plan.id, rank=plan.rank, units=1)
    found = [Target(wish, plan.product, "enum", wish.element, tier)]
    counts = granted_counts(wish, plan)
    for component in plan.components:
        element = wish.snapshot.element(wish.want.object_id, component.name)
        count, units = counts[component.name], counts[component.name] - component.included
        if units > 0 and component.kind == "sum":
            phase = granted_phase(wish, plan, value=count, rank=count, units=units)
            found.append(Target(wish, component.name, "sum", element, phase))
        elif element is not None:
            found.append(Target(wish, component.name, "sum", element, None))
    return found


def _component_targets(wish: Wish, plan: PlanItem, interval: str) -> list[Target]:
    """
    A count that the wish names is wanted so; of one that it does not name as many stay as were bought, on top of
    what the plan includes. When the plan ends, what hangs on it ends with it: the free tier sells nothing more.
    """
    found = []
    wanted = {component.name: component.value for component in wish.want.components}
    bought = wish.snapshot.components(wish.want.object_id, wish.element.subscription_id) if wish.element else []
    current = {element.product: element for element in bought}
    for component in plan.components:
        element = current.get(component.name)
        # What was granted beside the plan is not bought with it unless it is named.
        bought_units = element.current.billed_quantity if element and not is_grant(element.license_source_id) else 0
        count = wanted.get(component.name, component.included + bought_units)
        unit = component.prices.get(interval)
        if count <= component.included or unit is None or plan.is_free:
            if element is not None:
                found.append(Target(wish, component.name, "sum", element, None))
            continue
        unit = sold_at(wish, element, unit)
        phase = _phase(wish, plan, unit, value=count, rank=count, billed_quantity=count - component.included)
        found.append(Target(wish, component.name, "sum", element, phase))
    return found


def _phase(wish: Wish, plan: PlanItem, price: PriceItem, *, value: str | int, rank: int, billed_quantity: int) -> Phase:
    """
    The phase from now on. A paid one ends with the period of its clock, which starts now where none runs yet; what is
    free goes on until something changes it.
    """
    at = wish.request.requested_at.replace(microsecond=0)
    schedule = wish.snapshot.schedule(price.interval)
    start, end = schedule.period_at(at) if schedule else period_containing(at, price.interval, at)
    is_paid = price.unit_amount_minor > 0
    return Phase(
        value=value,
        rank=rank,
        rate_plan_id=plan.id,
        price_id=price.id,
        stripe_price_id=price.stripe_price_id,
        interval=price.interval,
        unit_amount_minor=price.unit_amount_minor,
        billed_quantity=billed_quantity,
        currency=price.currency,
        starts_at=max(start, at) if is_paid else at,
        ends_at=end if is_paid else None,
    )


def _license_source(wish: Wish, after: Phase | None) -> str:
    """Stripe bills what has a price; what is granted, free or billed by use alone is nobody's item."""
    if wish.want.licence is not None:
        return wish.want.licence.source
    if after is not None and after.rank == 0:
        return FREE_LICENSE
    if after is None or after.unit_amount_minor > 0:
        return STRIPE
    return USAGE_LICENSE if wish.plan is not None and wish.plan.is_metered else FREE_LICENSE


def _subscription_id(wish: Wish) -> str:
    return wish.element.subscription_id if wish.element else _id(wish.request, wish.want.object_id, "subscription")


def _id(request: ChangeRequest, object_id: str, what: str) -> str:
    """An identifier that planning the same request again gives again."""
    return sha256(f"{request.id}:{object_id}:{what}".encode()).hexdigest()[:32]
