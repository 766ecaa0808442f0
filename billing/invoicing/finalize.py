"""The one finaliser: a draft of ours becomes an invoice, and why is on record."""

from datetime import datetime

from accounts.lock import account_lock

from ..cfstripe import invoices
from ..cfstripe.errors import StripeRefused
from ..cfstripe.shapes import Raw, read_invoice
from ..models.invoices import Invoice
from ..payments import attempts
from .apply_credits import apply_to_draft, settle_credits
from .follow import follow
from .record import note_failure
from .states import InvoiceStatus


def finalize(invoice: Invoice, *, now: datetime) -> None:
    """
    Take a draft over from Stripe, finalise it, and record what it is then. Not in a transaction; safe to repeat.

    Why it is finalised stands on it since it was recorded (`FinalizeReason`). Only a draft that Stripe leaves to us
    is ours: one that it finalised meanwhile is recorded as it is, and so is the charge that Stripe makes by itself
    then, which is in flight until it is known how it ended.

    :raises StripeUnavailable: no answer; the draft stays where it is.
    :raises StripeRefused: Stripe can't finalise it; the reason is on the invoice.
    """
    raw = invoices.take_over(invoice.stripe_invoice_id, key=f"invoice_{invoice.pk}_take_over")
    is_ours = True
    if read_invoice(raw).status == InvoiceStatus.DRAFT.value:
        apply_to_draft(invoice, raw, now=now)
        try:
            raw = _finalize(invoice)
        except StripeRefused as refusal:
            with account_lock(invoice.account_id):
                note_failure(invoice, finalization_failed=refusal.code, now=now)
            raise
    elif read_invoice(raw).status == InvoiceStatus.OPEN.value:
        is_ours = _was_finalized_by_us(invoice)
    with account_lock(invoice.account_id):
        follow(raw, account_id=invoice.account_id, now=now)
        invoice.refresh_from_db()
        settle_credits(invoice, raw, now=now)
        if not is_ours and invoice.status == InvoiceStatus.OPEN.value and not invoice.attempts.exists():
            attempts.begin_stripes(invoice, now=now)


def _finalize(invoice: Invoice) -> Raw:
    return invoices.finalize(invoice.stripe_invoice_id, key=f"invoice_{invoice.pk}_finalize")


def _was_finalized_by_us(invoice: Invoice) -> bool:
    """Whether the invoice is open by our own call, whose answer was lost: Stripe repeats the answer then."""
    try:
        _finalize(invoice)
    except StripeRefused:
        return False
    return True
