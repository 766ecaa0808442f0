"""Billing's values as the public API writes them. Pure."""

from typing import Any

from accounts.api.envelope import rfc3339

from ..catalog.values import Catalog, FeatureItem, PlanItem, PriceItem
from ..objectproducts.phases import Phase
from ..subscriptions import ZONE_PLANS, ScheduledChange, Subscription

FREQUENCY = {"month": "monthly", "year": "yearly"}


def dollars(amount_minor: int) -> float:
    """Return cents as the API's JSON numbers: the number nearest to the exact amount, two decimals when written."""
    return amount_minor / 100


def subscription_shape(subscription: Subscription, *, with_secret: bool) -> dict[str, Any]:
    """Return a subscription; the client secret only for who may act on it: it opens the payment."""
    shape: dict[str, Any] = {
        "id": subscription.id,
        "state": subscription.state.value,
        "price": dollars(subscription.price_minor),
        "currency": subscription.currency.upper(),
        "frequency": FREQUENCY[subscription.interval],
        "rate_plan": _rate_plan_of(subscription.plan, subscription.currency),
        "component_values": [
            {
                "name": component.name,
                "value": component.value,
                "default": component.included,
                "price": dollars(component.price_minor),
            }
            for component in subscription.components
        ],
        "current_period_start": rfc3339(subscription.period_start),
        "current_period_end": rfc3339(subscription.period_end),
        "workflow_id": subscription.workflow_id or None,
        "client_secret": (subscription.client_secret or None) if with_secret else None,
        "scheduled_change": _scheduled_shape(subscription.scheduled) if subscription.scheduled else None,
    }
    if subscription.zone_name:
        shape["zone"] = {"id": subscription.object_id, "name": subscription.zone_name}
    return shape


def _scheduled_shape(scheduled: ScheduledChange) -> dict[str, Any]:
    """What holds from `applies_on`; no plan: the subscription ends then."""
    return {
        "plan": scheduled.plan.id if scheduled.plan else None,
        "frequency": FREQUENCY[scheduled.interval] if scheduled.plan else None,
        "component_values": [{"name": name, "value": value} for name, value in scheduled.counts.items()],
        "applies_on": rfc3339(scheduled.applies_at),
    }


def available_plans(catalog: Catalog, held: Phase | None) -> list[dict[str, Any]]:
    """Return a zone's tiers, lowest first; `held` is the phase that holds now."""
    return [available_plan(plan, held) for plan in catalog.tiers(ZONE_PLANS)]


def available_plan(plan: PlanItem, held: Phase | None) -> dict[str, Any]:
    """
    Return one plan next to what the zone has.

    A plan is shown once: at the price and frequency at which it is held, else monthly where it is sold so.
    """
    is_held = held is not None and held.rate_plan_id == plan.id
    price = plan.prices.get(held.interval) if held and is_held else _usual_price(plan)
    amount_minor = held.unit_amount_minor if held and is_held else (price.unit_amount_minor if price else None)
    return {
        "id": plan.id,
        "legacy_id": plan.id,
        "name": plan.public_name,
        "price": None if amount_minor is None else dollars(amount_minor),
        "currency": (held.currency if held and is_held else price.currency if price else "usd").upper(),
        "frequency": FREQUENCY[held.interval] if held and is_held else FREQUENCY[price.interval] if price else None,
        "is_subscribed": is_held,
        "can_subscribe": not is_held and price is not None and not plan.is_contract,
        "externally_managed": plan.externally_managed,
    }


def rate_plans(catalog: Catalog) -> list[dict[str, Any]]:
    """Return everything that can be bought for a zone, tiers first, once per frequency, with its components."""
    addons = [plan for plan in catalog.plans.values() if plan.scope == "zone" and plan.family_id != ZONE_PLANS]
    return [
        {
            "id": plan.id,
            "name": plan.public_name,
            "currency": price.currency.upper(),
            "frequency": FREQUENCY[price.interval],
            "duration": 1,
            "price": dollars(price.unit_amount_minor),
            "components": [
                {
                    "name": component.name,
                    "default": component.included,
                    "unit_price": dollars(unit.unit_amount_minor) if unit else None,
                }
                for component in plan.components
                for unit in [component.prices.get(price.interval)]
            ],
        }
        for plan in [*catalog.tiers(ZONE_PLANS), *addons]
        for price in sorted(plan.prices.values(), key=lambda price: price.interval)
        if not plan.is_contract
    ]


def rate_plan(plan: PlanItem) -> dict[str, Any]:
    """Return one plan or add-on with its components; a component's price is the monthly one where there is one."""
    usual = _usual_price(plan)
    return {
        "id": plan.id,
        "public_name": plan.public_name,
        "currency": (usual.currency if usual else "usd").upper(),
        "components": [
            {
                "name": component.name,
                "default": component.included,
                "unit_price": dollars(unit.unit_amount_minor) if unit else None,
            }
            for component in plan.components
            for unit in [component.prices.get(usual.interval) if usual else None]
        ],
    }


def feature_shape(feature: FeatureItem) -> dict[str, Any]:
    """Return a feature; its name is its key in words."""
    return {
        "id": feature.id,
        "key": feature.feature,
        "name": feature.feature.replace(".", " ").replace("_", " ").capitalize(),
        "feature_set": feature.feature_set,
    }


def _rate_plan_of(plan: PlanItem, currency: str) -> dict[str, Any]:
    return {
        "id": plan.id,
        "public_name": plan.public_name,
        "currency": currency.upper(),
        "scope": plan.scope,
        "sets": list(plan.sets),
        "is_contract": plan.is_contract,
        "externally_managed": plan.externally_managed,
    }


def _usual_price(plan: PlanItem) -> PriceItem | None:
    return min(plan.prices.values(), key=lambda price: price.interval, default=None)
