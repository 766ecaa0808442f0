"""Renewals that Stripe made and nobody told us of: asked for, when their news is late."""

from datetime import datetime, timedelta

from accounts.claim import claim, release
from accounts.lock import account_lock
from accounts.sweep import sweep

from ..cfstripe import invoices
from ..cfstripe.errors import StripeUnavailable
from ..models.invoices import BillingSchedule, BillingScheduleDue, Invoice
from .states import FinalizeReason
from .take_over import notice

ASK_AGAIN = timedelta(hours=6)
# A renewal that is known and not paid moves its clock only when it is: until then what might be missed is its payment.
ASK_AGAIN_OF_UNPAID = timedelta(days=1)
INVOICES_ASKED_FOR = 3
_OF_STRIPE = "(SELECT owner FROM billing_schedule WHERE id = schedule_id) = 'stripe'"


def find_missed(*, now: datetime, limit: int = 20) -> int:
    """
    Ask Stripe about up to `limit` renewals whose news is late, and return how many were looked at.

    What is found takes the road it would have taken with its event; what has not been renewed is asked for again.
    """

    def act(row: BillingScheduleDue) -> None:
        schedule = BillingSchedule.objects.get(pk=row.pk)
        _ask(schedule, now=now)
        row.refresh_from_db(fields=["next_at"])
        release(row, next_at=row.next_at if row.next_at > now else now + _wait(schedule))

    return sweep(
        claim(BillingScheduleDue, _OF_STRIPE, now=now, limit=limit), act, now=now, passing=(StripeUnavailable,)
    )


def _wait(schedule: BillingSchedule) -> timedelta:
    is_known = Invoice.objects.filter(
        schedule=schedule, reason=FinalizeReason.CYCLE.value, period_start__gte=schedule.next_at
    ).exists()
    return ASK_AGAIN_OF_UNPAID if is_known else ASK_AGAIN


def _ask(schedule: BillingSchedule, *, now: datetime) -> None:
    found = invoices.of_subscription(schedule.stripe_subscription_id, limit=INVOICES_ASKED_FOR)
    with account_lock(schedule.account_id):
        for raw in found:
            notice(raw, account_id=schedule.account_id, now=now)
