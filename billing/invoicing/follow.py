"""Our row follows Stripe's invoice, and what the invoice renews moves on when it is paid."""

from datetime import datetime

from accounts.lock import holds_lock

from ..cfstripe.shapes import Raw, read_finalization_error, read_invoice, shows_payment
from ..changes_calculator.renew import renew
from ..models.invoices import Invoice
from ..payments.attempts import note_paid
from . import credits as customer_credits
from . import issue_credit_note, record
from .states import FinalizeReason, InvoiceStatus


def follow(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Bring the invoice that we know up to date with `raw`, and renew what it pays for; return whether anything changed.

    In the caller's transaction under the account's lock. Safe to repeat, in any order.

    :raises PaymentNotShown: ask Stripe for the invoice, and follow what it says then.
    """
    assert holds_lock(account_id)
    refreshed = record.refresh(raw, account_id=account_id, now=now)
    if refreshed is None:
        return False
    if refreshed.surplus.credited_minor:
        issue_credit_note.give_surplus(refreshed.invoice, refreshed.surplus.credited_minor, now=now)
    settle(refreshed.invoice, raw, now=now)
    return True


def settle(invoice: Invoice, raw: Raw, *, now: datetime) -> None:
    """
    If the invoice is paid, account for the attempt that paid it, and move what a renewal pays for on.

    If it is void, the credit that it used is the customer's again.

    :raises PaymentNotShown: see `follow`.
    """
    if invoice.status == InvoiceStatus.VOID.value:
        customer_credits.give_back_all(invoice, now=now)
    if invoice.status != InvoiceStatus.PAID.value:
        return
    payment_intent_id = read_invoice(raw).payment_intent_id if shows_payment(raw) else None
    note_paid(invoice, payment_intent_id=payment_intent_id, now=now)
    if invoice.reason == FinalizeReason.CYCLE.value:
        renew(invoice, now=now)


def note_not_finalized(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Write why Stripe can't finalise a draft of ours; False if it is known, or a draft no longer.

    In the caller's transaction under the account's lock. Finalising it is tried again by itself (`advance.py`).
    """
    assert holds_lock(account_id)
    invoice = Invoice.objects.filter(account=account_id, stripe_invoice_id=raw["id"]).first()
    code = read_finalization_error(raw)
    if invoice is None or invoice.status != InvoiceStatus.DRAFT.value or invoice.finalization_failed == code:
        return False
    record.note_failure(invoice, finalization_failed=code, now=now)
    return True


def note_action_required(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Write that an open invoice of ours waits for its customer; False if something keeps it from being paid already.

    In the caller's transaction under the account's lock. What we charge ourselves says so by its own attempt.
    """
    assert holds_lock(account_id)
    invoice = Invoice.objects.filter(account=account_id, stripe_invoice_id=raw["id"]).first()
    if invoice is None or invoice.status != InvoiceStatus.OPEN.value or invoice.collection_failed:
        return False
    record.note_failure(invoice, collection_failed=ACTION_REQUIRED, now=now)
    return True


ACTION_REQUIRED = "authentication_required"
