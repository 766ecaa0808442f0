"""The only writer of billing schedules: when an account is billed next, per interval."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from accounts.lock import holds_lock
from accounts.models import new_id

from ..cfstripe.shapes import SubscriptionFacts
from ..models.invoices import BillingSchedule, BillingScheduleDue

# Stripe tells of a renewal within seconds; after so long nobody will.
LATE = timedelta(hours=2)


# The clock and when somebody asks about it; one more of a clock that runs has its anchor.
_START = """
WITH schedule AS (
    INSERT INTO billing_schedule (id, account_id, interval, anchor_at, next_at, owner, stripe_subscription_id)
    SELECT %(id)s, %(account_id)s, %(interval)s, coalesce(min(beside.anchor_at), %(anchor_at)s), %(next_at)s,
        %(owner)s, %(subscription_id)s
    FROM billing_schedule beside
    WHERE beside.account_id = %(account_id)s AND beside.interval = %(interval)s AND beside.ended_at IS NULL
)
INSERT INTO billing_schedule_due (schedule_id, next_at, attempts, lease_backend)
VALUES (%(id)s, %(ask_at)s, 0, '')
"""


def start_schedule(account_id: str, facts: SubscriptionFacts, *, interval: str) -> str:
    """
    Write the clock that a new Stripe subscription starts, or one more of a clock that runs, and return its id.

    One statement; the caller journals.
    """
    assert holds_lock(account_id)
    next_at = min(item.period_end for item in facts.items)
    clock: dict[str, Any] = {
        "id": new_id(),
        "account_id": account_id,
        "interval": interval,
        "anchor_at": facts.anchor_at,
        "next_at": next_at,
        "owner": BillingSchedule.Owner.STRIPE.value,
        "subscription_id": facts.id,
        "ask_at": next_at + LATE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_START, clock)
    return str(clock["id"])


def end_schedule(schedule_id: str, *, at: datetime) -> None:
    """Write that a clock has stopped: nothing is billed by it any more. Two statements; the caller journals."""
    BillingSchedule.objects.filter(pk=schedule_id, ended_at__isnull=True).update(ended_at=at)
    BillingScheduleDue.objects.filter(schedule=schedule_id).delete()


def move_schedule(schedule_id: str, *, next_at: datetime) -> None:
    """Write when the account is billed next; never back. Two statements; the caller journals."""
    if BillingSchedule.objects.filter(pk=schedule_id, next_at__lt=next_at).update(next_at=next_at):
        BillingScheduleDue.objects.filter(schedule=schedule_id).update(next_at=next_at + LATE)
