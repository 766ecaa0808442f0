"""Our row follows Stripe's invoice, and what the invoice renews moves on when it is paid."""

from datetime import datetime

from accounts.lock import holds_lock

from ..cfstripe.shapes import Raw
from ..changes_calculator.renew import renew
from ..models.invoices import Invoice
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
    renew_if_paid(Invoice.objects.get(account=account_id, stripe_invoice_id=raw["id"]), now=now)
    return True


def renew_if_paid(invoice: Invoice, *, now: datetime) -> None:
    """Move what a renewal pays for into its next period, if it is paid."""
    if invoice.status == InvoiceStatus.PAID.value and invoice.reason == FinalizeReason.CYCLE.value:
        renew(invoice, now=now)
