"""The only writer of billing schedules: when an account is billed next, per interval."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from accounts import journal
from accounts.claim import LeaseLost
from accounts.lock import account_lock, holds_lock
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


# Contracts whose priced components no clock bills yet: the clock of each interval begins with the first of them.
_WITHOUT_CLOCK = """
SELECT ope.account_id, ope.value_phases->0->>'interval', min((ope.value_phases->0->>'from')::timestamptz)
FROM subs_object_products_element ope
WHERE ope.license_source_id = 'CONTRACT:CONTRACT' AND ope.deleted_date IS NULL
    AND (ope.value_phases->0->>'amount_minor')::bigint > 0
    AND NOT EXISTS (
        SELECT FROM billing_schedule clock
        WHERE clock.account_id = ope.account_id AND clock.interval = ope.value_phases->0->>'interval'
            AND clock.owner = 'internal' AND clock.ended_at IS NULL
    )
GROUP BY 1, 2
"""


def start_contract_clocks(*, now: datetime) -> int:
    """
    Start an internal clock for each contract that has something to bill and no clock yet; return how many.

    Its first period, billed in advance like all others, begins when the contract did.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WITHOUT_CLOCK)
        found = cursor.fetchall()
    for account_id, interval, since in found:
        start_internal(account_id, interval=interval, anchor_at=since, now=now)
    return len(found)


def start_internal(account_id: str, *, interval: str, anchor_at: datetime, now: datetime) -> None:
    """Write a clock that we bill by ourselves, from `anchor_at` on; one that runs already stays as it is."""
    with account_lock(account_id):
        running = BillingSchedule.objects.filter(account=account_id, interval=interval, ended_at__isnull=True)
        if running.filter(owner=BillingSchedule.Owner.INTERNAL).exists():
            return
        schedule = BillingSchedule.objects.create(
            account_id=account_id,
            interval=interval,
            anchor_at=anchor_at,
            next_at=anchor_at,
            owner=BillingSchedule.Owner.INTERNAL,
        )
        BillingScheduleDue.objects.create(schedule=schedule, next_at=anchor_at)
        after = {"schedule_id": schedule.pk, "interval": interval, "anchor_at": anchor_at}
        journal.emit(journal.Fact("billing.clock_started", account_id, "system:billing", after=after), at=now)


_MOVE_INTERNAL = """
WITH moved AS (
    SELECT * FROM unnest(%s::text[], %s::timestamptz[]) AS moved(id, next_at)
), clock AS (
    UPDATE billing_schedule SET next_at = moved.next_at FROM moved WHERE billing_schedule.id = moved.id
)
UPDATE billing_schedule_due due SET next_at = moved.next_at, attempts = 0,
    lease_token = NULL, lease_until = NULL, lease_backend = ''
FROM moved WHERE due.schedule_id = moved.id AND due.lease_token = %s
"""


def move_internal(due: Sequence[BillingScheduleDue], ends: Mapping[str, datetime]) -> None:
    """
    Write when each of these clocks, which were claimed together, bills next, and let them go. One statement.

    :raises LeaseLost: somebody else holds one of them by now; nothing of the transaction may stand.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MOVE_INTERNAL, [list(ends), list(ends.values()), due[0].lease_token])
        if cursor.rowcount != len(due):
            raise LeaseLost("billing_schedule_due")


def end_unused(schedule_ids: Sequence[str], *, at: datetime) -> None:
    """Stop clocks that bill nothing any more, with a journal entry each. Under the locks of their accounts."""
    ended = list(BillingSchedule.objects.filter(pk__in=schedule_ids, ended_at__isnull=True).only("pk", "account_id"))
    BillingSchedule.objects.filter(pk__in=schedule_ids).update(ended_at=at)
    BillingScheduleDue.objects.filter(schedule__in=schedule_ids).delete()
    facts = [
        journal.Fact("billing.clock_ended", each.account_id, "system:billing", after={"schedule_id": each.pk})
        for each in ended
    ]
    if facts:
        journal.emit(*facts, at=at)
