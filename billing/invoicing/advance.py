"""Invoices of renewals, taken on from wherever they stand: finalised, then collected."""

from datetime import datetime, timedelta

from accounts.claim import claim, finishing, release
from accounts.sweep import sweep

from ..cfstripe.errors import StripeUnavailable
from ..models.invoices import Invoice, InvoiceDue
from ..payments.collect import AttemptInFlight, collect
from .finalize import finalize
from .late import waits_for_scheduled
from .states import FinalizeReason, InvoiceStatus

# A draft whose subscription is being changed first is looked at again so soon.
TELLING = timedelta(minutes=1)


def advance_due(*, now: datetime, limit: int = 20) -> int:
    """Take up to `limit` due invoices on that nobody is working on, and return how many were looked at."""

    def act(row: InvoiceDue) -> None:
        invoice = Invoice.objects.get(pk=row.pk)
        if invoice.status == InvoiceStatus.DRAFT.value and waits_for_scheduled(invoice):
            release(row, next_at=now + TELLING)
            return
        advance(invoice, now=now)
        with finishing(row):
            pass

    return sweep(claim(InvoiceDue, now=now, limit=limit), act, now=now, passing=(StripeUnavailable, AttemptInFlight))


def advance(invoice: Invoice, *, now: datetime) -> None:
    """
    Finalise the invoice if it is a draft and collect it if it is open; each step is safe to repeat.

    A renewal that is open although nobody is known to have charged it may be in Stripe's hands: the finaliser finds
    out. Every other invoice was finalised by our own call, and Stripe leaves it alone.
    """
    is_renewal = invoice.reason == FinalizeReason.CYCLE.value
    is_open_unseen = is_renewal and invoice.status == InvoiceStatus.OPEN.value and not invoice.attempts.exists()
    if invoice.status == InvoiceStatus.DRAFT.value or is_open_unseen:
        finalize(invoice, now=now)
    if invoice.status == InvoiceStatus.OPEN.value:
        collect(invoice, now=now)
