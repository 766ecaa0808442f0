"""Invoices of renewals, taken on from wherever they stand: finalised, then collected."""

from datetime import datetime

import structlog

from accounts.claim import LeaseLost, claim, finishing, give_back, give_back_failed
from accounts.lock import AccountBusy
from accounts.retry import backoff

from ..cfstripe.errors import StripeUnavailable
from ..models.invoices import Invoice, InvoiceDue
from ..payments.collect import collect
from .finalize import finalize
from .states import InvoiceStatus

logger = structlog.get_logger()


def advance_due(*, now: datetime, limit: int = 20) -> int:
    """
    Take up to `limit` due invoices on that nobody is working on, and return how many were looked at.

    One that fails is tried again later and holds up no other.
    """
    due = claim(InvoiceDue, now=now, limit=limit)
    for row in due:
        try:
            advance(Invoice.objects.get(pk=row.pk), now=now)
            with finishing(row):
                pass
        except LeaseLost:
            continue  # somebody else has it, and goes on from where we came
        except AccountBusy:
            give_back(row, for_seconds=0.1)
        except Exception as error:  # noqa: BLE001  one invoice that can't go on must not stop the others
            if not isinstance(error, StripeUnavailable):
                logger.error("invoice.advance_failed", invoice=row.pk, error=type(error).__name__)
            give_back_failed(row, next_at=now + backoff(row.attempts))
    return len(due)


def advance(invoice: Invoice, *, now: datetime) -> None:
    """Finalise the invoice if it is a draft and collect it if it is open; each step is safe to repeat."""
    if invoice.status == InvoiceStatus.DRAFT.value:
        finalize(invoice, now=now)
        invoice.refresh_from_db()
    if invoice.status == InvoiceStatus.OPEN.value:
        collect(invoice, now=now)
