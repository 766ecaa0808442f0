"""Renewals that Stripe made and nobody told us of: asked for, when their news is late."""

from datetime import datetime, timedelta

import structlog

from accounts.claim import LeaseLost, claim, give_back, release
from accounts.lock import AccountBusy, account_lock

from ..cfstripe import invoices
from ..cfstripe.errors import StripeUnavailable
from ..models.invoices import BillingSchedule, BillingScheduleDue
from .take_over import notice

logger = structlog.get_logger()

ASK_AGAIN = timedelta(hours=6)
INVOICES_ASKED_FOR = 3


def find_missed(*, now: datetime, limit: int = 20) -> int:
    """
    Ask Stripe about up to `limit` renewals whose news is late, and return how many were looked at.

    What is found takes the road it would have taken with its event; what has not been renewed is asked for again.
    """
    due = claim(BillingScheduleDue, now=now, limit=limit)
    for row in due:
        try:
            _ask(BillingSchedule.objects.get(pk=row.pk), now=now)
            row.refresh_from_db(fields=["next_at"])
            release(row, next_at=row.next_at if row.next_at > now else now + ASK_AGAIN)
        except LeaseLost:
            continue
        except (AccountBusy, StripeUnavailable):
            give_back(row, for_seconds=1.0)
        except Exception as error:  # noqa: BLE001  one schedule that can't be looked at must not stop the others
            logger.error("schedule.check_failed", schedule=row.pk, error=type(error).__name__)
            release(row, next_at=now + ASK_AGAIN)
    return len(due)


def _ask(schedule: BillingSchedule, *, now: datetime) -> None:
    found = invoices.of_subscription(schedule.stripe_subscription_id, limit=INVOICES_ASKED_FOR)
    with account_lock(schedule.account_id):
        for raw in found:
            notice(raw, account_id=schedule.account_id, now=now)
