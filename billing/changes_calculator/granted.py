"""What a licence makes of each component of a plan: held at no price, as bought, now or until a trial ends. Pure."""

from dataclasses import replace
from datetime import datetime

from ..catalog.values import ComponentItem, PlanItem
from ..objectproducts.phases import Phase
from .proration import period_containing
from .wish import Wish


def granted_phase(wish: Wish, plan: PlanItem, *, value: str | int, rank: int, units: int) -> Phase:
    """Return what is held at no price, from now on; of a trial, until it ends."""
    assert wish.want.licence is not None
    return Phase(
        value=value,
        rank=rank,
        rate_plan_id=plan.id,
        price_id="",
        stripe_price_id="",
        interval=wish.interval or "month",
        unit_amount_minor=0,
        billed_quantity=units,
        currency=wish.element.current.currency if wish.element else "usd",
        starts_at=wish.request.requested_at.replace(microsecond=0),
        ends_at=wish.want.licence.ends_at,
    )


def granted_counts(wish: Wish, plan: PlanItem) -> dict[str, int]:
    """Return how many of each component are granted: as the wish says, else as many as there are."""
    named = {component.name: component.value for component in wish.want.components}
    held = wish.snapshot.components(wish.want.object_id, wish.element.subscription_id) if wish.element else []
    units = {element.product: element.current.billed_quantity for element in held}
    return {each.name: named.get(each.name, each.included + units.get(each.name, 0)) for each in plan.components}


def after_trial(wish: Wish, phase: Phase, component: ComponentItem | None) -> Phase:
    """
    Return what holds when a trial of this phase is over: what it becomes, at today's price; else what is free.

    `component` None: the plan's own slot. What nothing remains of becomes the empty value.
    """
    licence, catalog = wish.want.licence, wish.snapshot.catalog
    assert licence is not None
    assert licence.ends_at is not None
    plan = catalog.find(licence.becomes)
    prices = plan.prices if plan else {}
    unit = prices.get(min(prices)) if prices else None
    if plan is not None and unit is not None and component is not None:
        sold = next((each for each in plan.components if each.name == component.name), None)
        unit = sold.prices.get(unit.interval) if sold and int(phase.value) > sold.included else None
    if plan is None or unit is None:
        return _nothing(wish, phase, licence.ends_at, is_tier=component is None)
    return replace(
        phase,
        value=plan.id if component is None else phase.value,
        rank=plan.rank if component is None else phase.rank,
        rate_plan_id=plan.id,
        price_id=unit.id,
        stripe_price_id=unit.stripe_price_id,
        interval=unit.interval,
        unit_amount_minor=unit.unit_amount_minor,
        currency=unit.currency,
        starts_at=licence.ends_at,
        ends_at=period_containing(licence.ends_at, unit.interval, licence.ends_at)[1],
    )


def _nothing(wish: Wish, phase: Phase, at: datetime, *, is_tier: bool) -> Phase:
    assert wish.plan is not None
    tiers = wish.snapshot.catalog.tiers(wish.plan.family_id) if is_tier and wish.plan.kind == "enum" else []
    free = next((tier for tier in tiers if tier.is_free), None)
    ended = replace(phase, rank=0, starts_at=at, ends_at=None, billed_quantity=0)
    if free is None:
        return replace(ended, value=0)
    price = next(iter(free.prices.values()))
    return replace(ended, value=free.id, rate_plan_id=free.id, price_id=price.id, billed_quantity=1)
