"""The one finaliser: a draft of ours becomes an invoice, and why is on record."""

from datetime import datetime

from accounts.lock import account_lock

from ..cfstripe import invoices
from ..cfstripe.errors import StripeRefused
from ..cfstripe.shapes import read_invoice
from ..models.invoices import Invoice
from .follow import follow
from .record import note_failure
from .states import InvoiceStatus


def finalize(invoice: Invoice, *, now: datetime) -> None:
    """
    Take a draft over from Stripe, finalise it, and record what it is then. Not in a transaction; safe to repeat.

    Only a draft that Stripe leaves to us is ours: one that it finalised meanwhile is recorded as it is.

    :raises StripeUnavailable: no answer; the draft stays where it is.
    :raises StripeRefused: Stripe can't finalise it; the reason is on the invoice.
    """
    raw = invoices.take_over(invoice.stripe_invoice_id, key=f"invoice_{invoice.pk}_take_over")
    if read_invoice(raw).status == InvoiceStatus.DRAFT.value:
        try:
            raw = invoices.finalize(invoice.stripe_invoice_id, key=f"invoice_{invoice.pk}_finalize")
        except StripeRefused as refusal:
            with account_lock(invoice.account_id):
                note_failure(invoice, finalization_failed=refusal.code, now=now)
            raise
    with account_lock(invoice.account_id):
        follow(raw, account_id=invoice.account_id, now=now)
