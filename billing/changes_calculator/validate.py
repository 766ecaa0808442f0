"""Stage 2 of 4, Validate: may this change be made? Pure: rows of (code, test), and what the customer can do."""

from collections.abc import Callable
from dataclasses import dataclass

from ..objectproducts.state import OpeState
from .directions import Direction
from .domains import validate_domains
from .in_the_way import in_the_way, is_refused_by
from .licences import TRIAL, is_billed, is_grant
from .request import ChangeRequest, ObjectKind, Origin, Refusal, Want
from .snapshot import Snapshot
from .targets import targets
from .wish import CORE_FAMILY, INTERVALS, Wish, consider

LARGEST_COUNT = 10_000
LICENSORS = frozenset({Origin.IAPI, Origin.NINJAPANEL, Origin.SYSTEM})


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to refuse; what the customer is told of it stands in MESSAGES."""

    code: str
    refuses: Callable[[Wish], bool]


# All that apply are answered, in this order.
RULES: tuple[Rule, ...] = (
    Rule("account_closed",        lambda wish: wish.snapshot.is_closed and not _ends_what_there_is(wish)),
    Rule("account_banned",        lambda wish: wish.snapshot.is_banned and not wish.is_ending),
    Rule("outstanding_balance",   lambda wish: _grows(wish) and wish.snapshot.owes),
    Rule("licence_not_allowed",   lambda wish: wish.want.licence is not None and wish.request.origin not in LICENSORS),
    Rule("invalid_licence",       lambda wish: _is_invalid_licence(wish)),
    Rule("not_self_serve",        lambda wish: _is_sold_by_contract(wish)),
    Rule("unknown_plan",          lambda wish: wish.plan is None),
    Rule("wrong_object",          lambda wish: _is_wrong_object(wish)),
    Rule("wanted_twice",          lambda wish: _is_wanted_twice(wish)),
    Rule("core_plan_required",    lambda wish: _lacks_core_plan(wish)),
    Rule("no_product_access",     lambda wish: _lacks_access(wish)),
    Rule("previous_owner_debt",   lambda wish: _grows(wish) and _is_owed_for(wish)),
    Rule("change_scheduled",      lambda wish: _has_other_schedule(wish)),
    Rule("one_interval_per_cart", lambda wish: len(_intervals(wish)) > 1),
    Rule("change_not_offered",    lambda wish: _is_not_offered(wish)),
    Rule("payment_method_required", lambda wish: _can_not_be_billed(wish)),
    Rule("period_closing",        lambda wish: _is_closing(wish)),
    Rule("change_in_flight",      lambda wish: _is_in_the_way(wish)),
    Rule("quantity_out_of_range", lambda wish: _is_out_of_range(wish)),
    Rule("frequency_not_offered", lambda wish: _is_not_sold_so(wish)),
    Rule("currency_mismatch",     lambda wish: _mixes_currencies(wish)),
)  # fmt: skip

MESSAGES = {
    "account_closed": "This account is closed. What is paid for runs to its end; nothing can be bought any more.",
    "account_banned": "This account is restricted because of unpaid invoices. Pay them to lift the restriction.",
    "outstanding_balance": (
        "You cannot add or modify subscriptions or services until the outstanding balance is paid."
    ),
    "licence_not_allowed": "Nobody can grant themselves what is sold. Buy the plan.",
    "invalid_licence": (
        "A trial ends later than now and becomes what is sold in the same place and is no larger; a licence is granted "
        "by itself, on what can be licensed."
    ),
    "not_self_serve": "This is sold by contract. Contact your account team.",
    "unknown_plan": "There is no such plan. List the plans that are available and choose one of them.",
    "wrong_object": (
        "This plan can't be attached here: zone plans belong to one of your zones, account plans to the account."
    ),
    "wanted_twice": "A cart can hold one plan for each place: the same one, or another in its place, is wanted twice.",
    "core_plan_required": "This add-on needs a paid plan on the zone. Buy the plan first.",
    "no_product_access": "This is not sold to every account. Contact support to have access to it.",
    "previous_owner_debt": (
        "An account that had this domain before owes for its bills. Until they are paid nothing can be bought for it. "
        "Contact support."
    ),
    "change_scheduled": "A change is scheduled for the end of the period. Take it back first (cancel-downgrade).",
    "one_interval_per_cart": "What is bought together is billed together: choose monthly or yearly for all of it.",
    "change_not_offered": "This change can't be made here yet. Contact support, who can make it.",
    "payment_method_required": "There is nothing that this can be billed to. Store a payment method first.",
    "period_closing": (
        "A scheduled change is being made at the end of this billing period, in a few minutes. Try again after it."
    ),
    "change_in_flight": (
        "Another change of this subscription waits for its payment. Complete it or wait until it has expired."
    ),
    "quantity_out_of_range": (
        f"A component's value must be one that the plan sells: from what it includes up to {LARGEST_COUNT}."
    ),
    "frequency_not_offered": "The plan is not sold at this frequency. Choose one at which it is listed.",
    "currency_mismatch": "The account is billed in another currency.",
}


def validate(request: ChangeRequest, snapshot: Snapshot) -> tuple[Refusal, ...]:
    """
    Return every reason to refuse, in the order of RULES; empty: the change may be made.

    A missing payment method is no reason: such a change is answered with a client secret.
    """
    if request.is_of_domains:
        return validate_domains(request, snapshot)
    wishes = consider(request, snapshot)
    return tuple(
        Refusal(rule.code, MESSAGES[rule.code]) for rule in RULES if any(rule.refuses(wish) for wish in wishes)
    )


def _grows(wish: Wish) -> bool:
    """Whether anything is to be more than it is: a plan, a component, how long it is paid for. Less may always be."""
    if wish.is_ending:
        return False
    if wish.want.licence is not None or wish.plan is None or wish.price is None:
        return not wish.already_holds
    return any(target.goes.direction is Direction.GROWING for target in targets(wish))


def _ends_what_there_is(wish: Wish) -> bool:
    return wish.want.is_cancellation or (wish.is_free and wish.element is not None)


def _is_owed_for(wish: Wish) -> bool:
    return wish.want.object_id in wish.snapshot.owed_by_former_owners


def _lacks_access(wish: Wish) -> bool:
    """Whether the plan is sold to some accounts alone, and this is none of them; a licence buys nothing."""
    if wish.plan is None or not wish.plan.sets or wish.want.licence is not None or not _grows(wish):
        return False
    return not wish.snapshot.product_sets.intersection(wish.plan.sets)


def _is_closing(wish: Wish) -> bool:
    """Whether something grows on a clock in whose last minutes Stripe has been told of the next period."""
    if wish.is_ending or wish.interval is None or (wish.already_holds and not wish.changes_components):
        return False
    if wish.want.licence is not None and (wish.element is None or not is_billed(wish.element.license_source_id)):
        return False
    clocks = (schedule for schedule in wish.snapshot.schedules if schedule.interval == wish.interval)
    return any(schedule.is_closed_at(wish.request.requested_at) for schedule in clocks)


def _is_sold_by_contract(wish: Wish) -> bool:
    """Whether it can't be bought here; a licence buys nothing, nor does whoever may grant it by ending what is."""
    if wish.want.licence is not None or _ends_a_grant(wish):
        return False
    plan = wish.plan
    is_contract = plan is not None and not wish.is_ending and (plan.is_contract or not plan.prices)
    return wish.snapshot.account_is_contract or is_contract


def _ends_a_grant(wish: Wish) -> bool:
    is_granted = wish.element is not None and is_grant(wish.element.license_source_id)
    return is_granted and wish.want.is_cancellation and wish.request.origin in LICENSORS


def _is_not_sold_so(wish: Wish) -> bool:
    """Whether the plan has no such price, or one that Stripe does not know yet, so that nobody could be charged."""
    if wish.plan is None or wish.want.licence is not None:
        return False
    if wish.want.interval_name and wish.want.interval_name.lower() not in INTERVALS:
        return True
    if wish.is_ending:
        return False
    return wish.price is None or (wish.price.unit_amount_minor > 0 and not wish.price.stripe_price_id)


def _is_invalid_licence(wish: Wish) -> bool:
    licence, plan = wish.want.licence, wish.plan
    if licence is None or plan is None:
        return False
    if plan.is_free or wish.want.is_cancellation or any(each.licence is None for each in wish.request.wants):
        return True
    if licence.ends_at is None:
        return False
    becomes = wish.snapshot.catalog.find(licence.becomes) if licence.becomes else None
    if licence.becomes and (becomes is None or becomes.product != plan.product or becomes.rank > plan.rank):
        return True
    return licence.ends_at <= wish.request.requested_at or (becomes is not None and not becomes.prices)


def _is_wrong_object(wish: Wish) -> bool:
    scope = wish.plan.scope if wish.plan else wish.want.object_kind.value
    return wish.want.object_id not in wish.snapshot.owned_objects or scope != wish.want.object_kind.value


def _is_wanted_twice(wish: Wish) -> bool:
    """Whether two wants of the request would fill the same slot of the same object."""
    if wish.plan is None:
        return False
    plans = [wish.snapshot.catalog.find(e.plan_name) for e in wish.request.wants if e.object_id == wish.want.object_id]
    return sum(plan is not None and plan.product == wish.plan.product for plan in plans) > 1


def _lacks_core_plan(wish: Wish) -> bool:
    """Add-ons of a zone need a paid zone plan under them, or one in the same cart; a trial may end free."""
    if (
        wish.is_ending
        or wish.plan is None
        or wish.plan.scope != ObjectKind.ZONE.value
        or wish.plan.product == CORE_FAMILY
    ):
        return False
    if any(_buys_core_plan(each, wish) for each in wish.request.wants):
        return False
    core = wish.snapshot.element(wish.want.object_id, CORE_FAMILY)
    return core is None or core.current.rank == 0 or (core.license_source_id == TRIAL and wish.want.licence is None)


def _buys_core_plan(want: Want, wish: Wish) -> bool:
    plan = wish.snapshot.catalog.find(want.plan_name)
    bought = plan is not None and plan.product == CORE_FAMILY and not plan.is_free and not want.is_cancellation
    return bought and want.object_id == wish.want.object_id


def _has_other_schedule(wish: Wish) -> bool:
    """
    Whether something else waits for the end of the period; the end of a trial makes way for anything.

    What hangs on a zone's plan can't be bought while that waits for its end.
    """
    if wish.plan is not None and wish.plan.scope == ObjectKind.ZONE.value and wish.plan.product != CORE_FAMILY:
        core = wish.snapshot.element(wish.want.object_id, CORE_FAMILY)
        if core is not None and core.scheduled is not None and core.scheduled.rank == 0 and _grows(wish):
            return True
    makes_way = wish.is_on_trial or wish.is_switch_due or wish.waits_for_price_alone
    return wish.has_schedule and not wish.is_scheduled and not makes_way


def _intervals(wish: Wish) -> set[str | None]:
    """The intervals of everything in the request that is billed."""
    return {each.interval for each in consider(wish.request, wish.snapshot) if each.price and not each.is_ending}


def _is_not_offered(wish: Wish) -> bool:
    """What others sell, and what moves from one interval to the other."""
    if wish.plan is None or _is_not_sold_so(wish):
        return False
    if wish.plan.externally_managed and wish.request.origin is not Origin.CF_QUEUES:
        return True
    if wish.element is None or wish.is_ending or wish.want.licence is not None:
        return False
    return _outgrows_its_switch(wish)


def _can_not_be_billed(wish: Wish) -> bool:
    """
    Whether there is nothing to bill it to, and nobody present to say what: use has no method, or those that are stored
    have failed and another is asked for.
    """
    if wish.plan is None or not _grows(wish) or wish.request.on_session or wish.want.licence is not None:
        return False
    return wish.snapshot.needs_method or (wish.plan.is_metered and not wish.snapshot.methods)


def _outgrows_its_switch(wish: Wish) -> bool:
    """Whether it is to be billed by another clock later, and is to be larger than it is now: that starts now."""
    element, plan = wish.element, wish.plan
    if element is None or plan is None or wish.moves_to is None or wish.is_switch_due:
        return False
    if wish.moves_to == "year" and plan.rank >= element.current.rank:
        return False  # that starts now anyway
    held = {
        each.product: int(each.current.value)
        for each in wish.snapshot.components(element.object_id, element.subscription_id)
    }
    included = {component.name: component.included for component in plan.components}
    return plan.rank > element.current.rank or any(
        each.value > max(held.get(each.name, 0), included.get(each.name, 0)) for each in wish.want.components
    )


def _is_in_the_way(wish: Wish) -> bool:
    """Whether a change holds an object or a clock of the request, and is not given up for it."""
    return any(is_refused_by(waits, wish.request) for waits in in_the_way(wish.request, wish.snapshot))


def _is_out_of_range(wish: Wish) -> bool:
    if wish.plan is None:
        return False
    sold = {component.name: component for component in wish.plan.components if component.prices}
    included = {component.name: component.included for component in wish.plan.components}
    names = [component.name for component in wish.want.components]
    return len(names) != len(set(names)) or any(
        component.name not in included
        or not included[component.name] <= component.value <= LARGEST_COUNT
        or (component.value != included[component.name] and component.name not in sold)
        for component in wish.want.components
    )


def _mixes_currencies(wish: Wish) -> bool:
    if wish.price is None:
        return False
    paid = (e for e in wish.snapshot.elements if e.state is OpeState.ACTIVE)
    return any(element.current.currency != wish.price.currency for element in paid)
