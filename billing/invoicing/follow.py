"""Our row follows Stripe's invoice, and what the invoice renews moves on when it is paid."""

from datetime import datetime

from accounts.lock import holds_lock

from ..cfstripe.shapes import Raw, read_invoice
from ..changes_calculator.renew import renew
from ..models.invoices import Invoice
from ..payments.attempts import note_paid
from . import record
from .states import FinalizeReason, InvoiceStatus


def follow(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Bring the invoice that we know up to date with `raw`, and renew what it pays for; return whether anything changed.

    In the caller's transaction under the account's lock. Safe to repeat, in any order.
    """
    assert holds_lock(account_id)
    if not record.refresh(raw, account_id=account_id, now=now):
        return False
    settle(Invoice.objects.get(account=account_id, stripe_invoice_id=raw["id"]), raw, now=now)
    return True


def settle(invoice: Invoice, raw: Raw, *, now: datetime) -> None:
    """If the invoice is paid, account for the attempt that paid it, and move what a renewal pays for on."""
    if invoice.status != InvoiceStatus.PAID.value:
        return
    note_paid(invoice, payment_intent_id=read_invoice(raw).payment_intent_id, now=now)
    if invoice.reason == FinalizeReason.CYCLE.value:
        renew(invoice, now=now)
