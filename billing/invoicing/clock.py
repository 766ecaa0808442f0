"""The only writer of billing schedules: when an account is billed next, per interval."""

from datetime import datetime, timedelta

from accounts.lock import holds_lock

from ..cfstripe.shapes import SubscriptionFacts
from ..models.invoices import BillingSchedule, BillingScheduleDue

# Stripe tells of a renewal within seconds; after so long nobody will.
LATE = timedelta(hours=2)


def start_schedule(account_id: str, facts: SubscriptionFacts, *, interval: str) -> BillingSchedule:
    """
    Write the clock that a new Stripe subscription starts, or one more of a clock that runs. Three statements; the
    caller journals.
    """
    assert holds_lock(account_id)
    beside = BillingSchedule.objects.filter(account=account_id, interval=interval, ended_at__isnull=True)
    anchor_at = beside.order_by("anchor_at").values_list("anchor_at", flat=True).first()
    next_at = min(item.period_end for item in facts.items)
    schedule = BillingSchedule.objects.create(
        account_id=account_id,
        interval=interval,
        anchor_at=anchor_at or facts.anchor_at,
        next_at=next_at,
        owner=BillingSchedule.Owner.STRIPE,
        stripe_subscription_id=facts.id,
    )
    BillingScheduleDue.objects.create(schedule=schedule, next_at=next_at + LATE)
    return schedule


def end_schedule(schedule_id: str, *, at: datetime) -> None:
    """Write that a clock has stopped: nothing is billed by it any more. Two statements; the caller journals."""
    BillingSchedule.objects.filter(pk=schedule_id, ended_at__isnull=True).update(ended_at=at)
    BillingScheduleDue.objects.filter(schedule=schedule_id).delete()


def move_schedule(schedule_id: str, *, next_at: datetime) -> None:
    """Write when the account is billed next; never back. Two statements; the caller journals."""
    if BillingSchedule.objects.filter(pk=schedule_id, next_at__lt=next_at).update(next_at=next_at):
        BillingScheduleDue.objects.filter(schedule=schedule_id).update(next_at=next_at + LATE)
