"""
A clock that something has left for another: once that is committed, Stripe's items on it follow, for nothing.

Sole writer of left clocks. From the commit until Stripe has answered nothing else can be bought on such a clock.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from accounts import claim as leases
from accounts import journal
from accounts.lock import account_lock, holds_lock
from accounts.sweep import sweep
from config import wake

from ..cfstripe import subscriptions
from ..cfstripe.errors import StripeUnavailable
from ..cfstripe.shapes import read_subscription
from ..invoicing.clock import end_schedule
from ..invoicing.late import correct_renewal
from ..models.invoices import BillingSchedule
from ..models.left_clocks import LeftClock
from .items import without_payment
from .next_period import items_by_price, next_phases, quantities, settled_now

TRY_AGAIN = timedelta(seconds=30)
OVER = frozenset({"canceled", "incomplete_expired"})


def leave(account_id: str, schedule_ids: Sequence[str], *, now: datetime) -> None:
    """Write which clocks a change has left. In the caller's transaction under the account's lock."""
    assert holds_lock(account_id)
    if not schedule_ids:
        return
    rows = [LeftClock(schedule_id=schedule_id, left_at=now, next_at=now) for schedule_id in schedule_ids]
    LeftClock.objects.bulk_create(rows, ignore_conflicts=True)
    wake.wake("billing.follow_left_clocks")


def follow_due(*, now: datetime, limit: int = 20) -> int:
    """Let up to `limit` clocks that were left have only what is still on them, and return how many were looked at."""
    due = leases.claim(LeftClock, now=now, limit=limit)
    return sweep(due, partial(_follow, now=now), now=now, passing=(StripeUnavailable,), wait=lambda _: TRY_AGAIN)


def _follow(row: LeftClock, *, now: datetime) -> None:
    """Take what is gone off its subscription; one that nothing remains on ends, and its clock with it."""
    schedule = row.schedule
    remains = bring_into_line(schedule, key=f"left_{row.pk}_{row.lease_token}", left_at=row.left_at, now=now)
    with account_lock(schedule.account_id), leases.finishing(row):
        if not remains:
            end_schedule(schedule.pk, at=now)
        after = {"schedule_id": schedule.pk, "has_ended": not remains}
        fact = journal.Fact("subscription.clock_left", schedule.account_id, "system:billing", after=after)
        journal.emit(fact, at=now)


def bring_into_line(schedule: BillingSchedule, *, key: str, left_at: datetime | None = None, now: datetime) -> bool:
    """
    Make Stripe's items on this clock those that the account owns on it, charging and crediting nothing.

    If nobody was at work and Stripe has begun another period since `left_at`, what it billed too much is taken off.
    Returns whether anything remains; a subscription of which nothing does is cancelled. Safe to repeat.
    """
    current = read_subscription(subscriptions.retrieve(schedule.stripe_subscription_id))
    before = {price: item for price, item in items_by_price(current).items() if item.quantity}
    phases = next_phases(schedule)
    after = quantities(phases, before)
    if current.status in OVER:
        return bool(after)
    began_at = max(item.period_start for item in current.items)
    if left_at is not None and began_at > left_at:
        late = f"left_{schedule.pk}_{int(left_at.timestamp())}_late"
        correct_renewal(schedule, phases, period_start=began_at, key=late, now=now)
    if not after:
        subscriptions.cancel(schedule.stripe_subscription_id, key=key)
    elif {price: item.quantity for price, item in before.items()} != {p: i.quantity for p, i in after.items()}:
        params = without_payment(before, after) | settled_now(current, schedule, before, after, now=now)
        subscriptions.update(schedule.stripe_subscription_id, params, key=key)
    return bool(after)
