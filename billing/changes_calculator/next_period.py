"""What Stripe bills from the next period on: told without proration, because what was paid stays paid."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from accounts import claim as leases
from accounts.lock import account_lock

from ..cfstripe import subscriptions
from ..cfstripe.shapes import SubscriptionFacts, read_subscription
from ..models.invoices import BillingSchedule
from ..models.objectproducts import Ope
from ..models.scheduled import Sslc
from ..objectproducts.phases import Phase
from .items import Item, from_next_period
from .proration import period_containing
from .settled import settled
from .tidy import save_empty_items


def tell_stripe(sslc: Sslc, *, without: bool, now: datetime) -> SubscriptionFacts:
    """
    Make Stripe's items those that the next period needs, with this change or `without` it, and return the subscription.

    An item that bills nothing then is emptied, not removed: it is still the one that was paid for, until the period
    is over. If nothing remains the subscription ends with its period instead. Quantities are absolute, so telling
    it again changes nothing.
    """
    schedule = sslc.schedule
    assert schedule is not None, "nobody bills a trial"
    current = read_subscription(subscriptions.retrieve(schedule.stripe_subscription_id))
    before = items_by_price(current)
    after = quantities(phases_with(sslc, without=without), before)
    if not after and is_late(current, sslc):
        return current  # its next period has begun: whoever asked for this ends it at once
    params = from_next_period(before, after)
    if is_late(current, sslc):
        params |= settled_now(current, schedule, before, after, now=sslc.applies_at)
    key = f"sslc_{sslc.pk}_{sslc.lease_token}"
    subscription = read_subscription(subscriptions.update(schedule.stripe_subscription_id, params, key=key))
    with account_lock(sslc.account_id):
        leases.renew(sslc)
        empty = {item.price_id: item.id for item in subscription.items if not item.quantity}
        save_empty_items(schedule, empty, next_at=max(now, sslc.applies_at))
    return subscription


def is_late(subscription: SubscriptionFacts, sslc: Sslc) -> bool:
    """Whether Stripe had begun the period that this change was to come before."""
    return any(item.period_start >= sslc.applies_at for item in subscription.items)


def phases_with(sslc: Sslc, *, without: bool = False) -> list[Phase]:
    """Return what the clock of a scheduled change bills from the next period, with it or `without` it."""
    schedule = sslc.schedule
    assert schedule is not None, "nobody bills a trial"
    told = {ope_id for each in _told(schedule) if each.pk != sslc.pk for ope_id in each.ope_ids}
    return _phases(schedule, told | (set() if without else set(sslc.ope_ids)))


def note_item(ope: Ope, subscription: SubscriptionFacts | None, phase: Phase | None) -> None:
    """Write which item bills the OPE at this phase's price; what ends keeps the item that billed it last."""
    item = subscription.item_of_price(phase.stripe_price_id) if subscription and phase else None
    if subscription is not None and item is not None:
        ope.license_source_id = f"{subscription.id}:{item.id}"


def next_phases(schedule: BillingSchedule) -> list[Phase]:
    """Return what the OPEs on this clock are billed for by it from the next period, as far as Stripe was told."""
    return _phases(schedule, {ope_id for each in _told(schedule) for ope_id in each.ope_ids})


def settled_now(
    subscription: SubscriptionFacts,
    schedule: BillingSchedule,
    before: Mapping[str, Item],
    after: Mapping[str, Item],
    *,
    now: datetime,
) -> dict[str, Any]:
    """Return what lets Stripe prorate such a change for 0, now or as near to that as the items' period allows."""
    starts_at = max(item.period_start for item in subscription.items)
    ends_at = min(item.period_end for item in subscription.items)
    at = min(max(now.replace(microsecond=0), starts_at), ends_at)
    period = period_containing(schedule.anchor_at, schedule.interval, ends_at - timedelta(microseconds=1))
    return settled(before, after, period, currency=subscription.currency, at=at)


def items_by_price(subscription: SubscriptionFacts) -> dict[str, Item]:
    """Return the items of a subscription as it is at Stripe, by price."""
    return {
        item.price_id: Item(item.id, item.price_id, item.unit_amount_minor, item.quantity)
        for item in subscription.items
    }


def quantities(phases: Iterable[Phase], before: Mapping[str, Item]) -> dict[str, Item]:
    """Return the items, by price, that bill these phases; what is there `before` keeps its id."""
    after: dict[str, Item] = {}
    for phase in phases:
        price = phase.stripe_price_id
        if price and phase.billed_quantity:
            quantity = phase.billed_quantity + (after[price].quantity if price in after else 0)
            item_id = before[price].id if price in before else ""
            after[price] = Item(item_id, price, phase.unit_amount_minor, quantity)
    return after


def _told(schedule: BillingSchedule) -> QuerySet[Sslc]:
    return Sslc.objects.filter(schedule=schedule, ended_at__isnull=True, applied_at__isnull=False)


def _phases(schedule: BillingSchedule, known: set[str]) -> list[Phase]:
    opes = Ope.objects.filter(
        account=schedule.account_id,
        license_source_id__startswith=f"{schedule.stripe_subscription_id}:",
        deleted_date__isnull=True,
    )
    phases = [ope.scheduled if ope.pk in known and ope.scheduled else ope.current for ope in opes]
    return [phase for phase in phases if phase.interval == schedule.interval]
