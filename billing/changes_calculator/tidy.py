"""
Items that bill nothing any more: written down, filled again by a later change, taken off. Sole writer of empty items.

While a payment is pending Stripe lets items be emptied, not removed. They go afterwards, at a moment in which no
change holds the clock: Stripe drops the change that waits when its subscription changes under it.
"""

from datetime import datetime, timedelta
from functools import partial

from accounts import claim as leases
from accounts import journal
from accounts.lock import account_lock, holds_lock
from accounts.sweep import sweep
from config import wake

from ..cfstripe import subscriptions
from ..cfstripe.errors import StripeUnavailable
from ..models.changes import ChangeClaim
from ..models.empty_items import EmptyItem
from ..models.invoices import BillingSchedule
from ..models.scheduled import Sslc
from .change_set import ChangeSet

CLOCK_IS_HELD = timedelta(minutes=10)
# Until Stripe has answered nothing can be bought on the clock, so it is asked again soon, however often it fails.
TRY_AGAIN = timedelta(seconds=30)


def note_empty_items(account_id: str, change: ChangeSet, *, cause: str, now: datetime) -> list[journal.Fact]:
    """
    Write which items a change that was paid left empty, forget those that it filled again, and return the facts.

    In the caller's transaction under the account's lock.
    """
    assert holds_lock(account_id)
    if change.refilled:
        EmptyItem.objects.filter(schedule=change.schedule_id, stripe_price_id__in=change.refilled).delete()
    if not change.emptied:
        return []
    EmptyItem.objects.bulk_create(
        EmptyItem(schedule_id=change.schedule_id, stripe_price_id=price_id, stripe_item_id=item_id, next_at=now)
        for price_id, item_id in change.emptied.items()
    )
    wake.wake("billing.tidy_items")
    after = {"schedule_id": change.schedule_id, "items": list(change.emptied.values())}
    return [journal.Fact("subscription.items_emptied", account_id, "system:billing", cause=cause, after=after)]


def save_empty_items(schedule: BillingSchedule, empty: dict[str, str], *, next_at: datetime) -> None:
    """
    Write which items of this clock, by price, bill nothing from the next period on; they go at `next_at`.

    In the caller's transaction under the account's lock; the caller journals.
    """
    assert holds_lock(schedule.account_id)
    EmptyItem.objects.filter(schedule=schedule).exclude(stripe_price_id__in=empty).delete()
    EmptyItem.objects.bulk_create(
        [
            EmptyItem(schedule=schedule, stripe_price_id=price_id, stripe_item_id=item_id, next_at=next_at)
            for price_id, item_id in empty.items()
        ],
        ignore_conflicts=True,
    )


def is_taking_off(schedule: BillingSchedule) -> bool:
    """Whether an item of this clock is being taken off this moment."""
    return EmptyItem.objects.filter(schedule=schedule, is_going=True).exists()


def tidy_due(*, now: datetime, limit: int = 20) -> int:
    """Take up to `limit` empty items off their subscriptions, and return how many were looked at."""
    due = leases.claim(EmptyItem, now=now, limit=limit)
    return sweep(due, partial(_take_off, now=now), now=now, passing=(StripeUnavailable,), wait=lambda _: TRY_AGAIN)


def _take_off(item: EmptyItem, *, now: datetime) -> None:
    """Take one item off, unless a change holds its clock; from the mark until Stripe has answered none can begin."""
    schedule = item.schedule
    with account_lock(schedule.account_id):
        is_held = ChangeClaim.objects.filter(
            account=schedule.account_id, resource=f"clock:{schedule.interval}"
        ).exists()
        if is_held or Sslc.objects.filter(schedule=schedule, is_telling=True).exists():
            leases.release(item, next_at=now + CLOCK_IS_HELD)
            return
        leases.renew(item, is_going=True)
    if schedule.ended_at is None:
        subscriptions.delete_empty(schedule.stripe_subscription_id, item.stripe_item_id, key=f"empty_item_{item.pk}")
    with leases.finishing(item):
        pass
