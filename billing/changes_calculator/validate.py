"""Stage 2 of 4, Validate: may this change be made? Pure: rows of (code, test, what the customer can do)."""

from collections.abc import Callable
from dataclasses import dataclass

from ..catalog.values import PlanItem, PriceItem
from ..objectproducts.state import OpeState
from .request import ChangeRequest, ObjectKind, Refusal
from .snapshot import Element, Snapshot

INTERVALS = {
    "monthly": "month",
    "month": "month",
    "yearly": "year",
    "annual": "year",
    "annually": "year",
    "year": "year",
}
LARGEST_COUNT = 10_000
CORE_FAMILY = "zone_plans"


@dataclass(frozen=True, slots=True)
class Wish:
    """A request next to what it is about; None where the request names nothing we know."""

    request: ChangeRequest
    snapshot: Snapshot
    plan: PlanItem | None
    interval: str | None
    price: PriceItem | None
    element: Element | None

    @property
    def is_free(self) -> bool:
        return self.plan is not None and self.plan.is_free

    @property
    def already_holds(self) -> bool:
        """Whether the object has this plan at this interval already and for good."""
        if self.element is None or self.plan is None or self.element.scheduled is not None:
            return False
        current = self.element.current
        return current.rate_plan_id == self.plan.id and (self.is_free or current.interval == self.interval)

    @property
    def changes_components(self) -> bool:
        """Whether a component that the request names should have another value than it has."""
        included = {component.name: component.included for component in self.plan.components} if self.plan else {}
        for component in self.request.components:
            current = self.snapshot.element(self.request.object_id, component.name)
            if component.value != (current.current.value if current else included.get(component.name)):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to refuse; what the customer is told of it stands in MESSAGES."""

    code: str
    refuses: Callable[[Wish], bool]


# All that apply are answered, in this order.
RULES: tuple[Rule, ...] = (
    Rule("account_banned",        lambda wish: wish.snapshot.is_banned and not wish.is_free),
    Rule("outstanding_balance",   lambda wish: _grows(wish) and wish.snapshot.owes),
    Rule("not_self_serve",        lambda wish: wish.snapshot.account_is_contract or _is_contract(wish)),
    Rule("unknown_plan",          lambda wish: wish.plan is None),
    Rule("wrong_object",          lambda wish: _is_wrong_object(wish)),
    Rule("core_plan_required",    lambda wish: _lacks_core_plan(wish)),
    Rule("change_scheduled",      lambda wish: wish.element is not None and wish.element.scheduled is not None),
    Rule("change_not_offered",    lambda wish: _is_not_offered(wish)),
    Rule("change_in_flight",      lambda wish: _is_in_the_way(wish)),
    Rule("quantity_out_of_range", lambda wish: _is_out_of_range(wish)),
    Rule("frequency_not_offered", lambda wish: wish.plan is not None and not wish.is_free and wish.price is None),
    Rule("currency_mismatch",     lambda wish: _mixes_currencies(wish)),
)  # fmt: skip

MESSAGES = {
    "account_banned": "This account is restricted because of unpaid invoices. Pay them to lift the restriction.",
    "outstanding_balance": (
        "You cannot add or modify subscriptions or services until the outstanding balance is paid."
    ),
    "not_self_serve": "This is sold by contract. Contact your account team.",
    "unknown_plan": "There is no such plan. List the plans that are available and choose one of them.",
    "wrong_object": (
        "This plan can't be attached here: zone plans belong to one of your zones, account plans to the account."
    ),
    "core_plan_required": "This add-on needs a paid plan on the zone. Buy the plan first.",
    "change_scheduled": "A change is scheduled for the end of the period. Take it back first.",
    "change_not_offered": "This change can't be made here yet. Contact support, who can make it.",
    "change_in_flight": (
        "Another change of this subscription waits for its payment. Complete it or wait until it has expired."
    ),
    "quantity_out_of_range": (
        f"A component's value must be one that the plan sells: from what it includes up to {LARGEST_COUNT}."
    ),
    "frequency_not_offered": "The plan is not sold at this frequency.",
    "currency_mismatch": "The account is billed in another currency.",
}


def consider(request: ChangeRequest, snapshot: Snapshot) -> Wish:
    """Return the request next to the plan, price and element that it is about."""
    plan = snapshot.catalog.find(request.plan_name)
    interval = _interval(request, plan)
    price = plan.prices.get(interval) if plan and interval else None
    element = snapshot.element(request.object_id, plan.product) if plan else None
    return Wish(request, snapshot, plan, interval, price, element)


def validate(request: ChangeRequest, snapshot: Snapshot) -> tuple[Refusal, ...]:
    """
    Return every reason to refuse, in the order of RULES; empty: the change may be made.

    A missing payment method is no reason: such a change is answered with a client secret.
    """
    wish = consider(request, snapshot)
    return tuple(Refusal(rule.code, MESSAGES[rule.code]) for rule in RULES if rule.refuses(wish))


def _interval(request: ChangeRequest, plan: PlanItem | None) -> str | None:
    """Nobody has to say how often: monthly where it is sold, else whatever is."""
    if request.interval_name:
        return INTERVALS.get(request.interval_name.lower())
    return min(plan.prices, default=None) if plan else None


def _grows(wish: Wish) -> bool:
    return not wish.is_free and not wish.already_holds


def _is_contract(wish: Wish) -> bool:
    return wish.plan is not None and not wish.is_free and (wish.plan.is_contract or not wish.plan.prices)


def _is_wrong_object(wish: Wish) -> bool:
    scope = wish.plan.scope if wish.plan else wish.request.object_kind.value
    return not wish.snapshot.owns_object or scope != wish.request.object_kind.value


def _lacks_core_plan(wish: Wish) -> bool:
    """Add-ons of a zone need a paid zone plan under them."""
    if wish.plan is None or wish.plan.scope != ObjectKind.ZONE.value or wish.plan.product == CORE_FAMILY:
        return False
    core = wish.snapshot.element(wish.request.object_id, CORE_FAMILY)
    return core is None or core.current.rank == 0


def _is_not_offered(wish: Wish) -> bool:
    """A paid plan is bought for what has none, on a clock that does not run yet."""
    if wish.plan is None or (wish.already_holds and not wish.changes_components):
        return False
    holds_paid = wish.element is not None and wish.element.current.rank > 0
    clock_runs = any(schedule.interval == wish.interval for schedule in wish.snapshot.schedules)
    return holds_paid or (not wish.is_free and clock_runs)


def _is_in_the_way(wish: Wish) -> bool:
    """Whether a change holds the object or its clock, but for one that wants the very same."""
    wanted = {f"object:{wish.request.object_id}", f"clock:{wish.interval}"}
    digest = wish.request.digest()
    return any(waits.resources & wanted and waits.request_digest != digest for waits in wish.snapshot.waiting)


def _is_out_of_range(wish: Wish) -> bool:
    if wish.plan is None:
        return False
    sold = {component.name: component for component in wish.plan.components if component.prices}
    included = {component.name: component.included for component in wish.plan.components}
    names = [component.name for component in wish.request.components]
    return len(names) != len(set(names)) or any(
        component.name not in included
        or not included[component.name] <= component.value <= LARGEST_COUNT
        or (component.value != included[component.name] and component.name not in sold)
        for component in wish.request.components
    )


def _mixes_currencies(wish: Wish) -> bool:
    if wish.price is None:
        return False
    paid = (e for e in wish.snapshot.elements if e.state is OpeState.ACTIVE)
    return any(element.current.currency != wish.price.currency for element in paid)
