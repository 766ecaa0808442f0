"""Collect an open invoice: one attempt at a time, a row before it is a call."""

from datetime import datetime

from accounts.lock import account_lock

from ..cfstripe import invoices
from ..cfstripe.errors import StripeActionRequired, StripeDeclined, StripeRefused
from ..cfstripe.shapes import Raw, read_invoice
from ..invoicing.follow import follow
from ..invoicing.record import note_failure
from ..invoicing.states import InvoiceStatus
from ..models.invoices import Invoice, PaymentAttempt
from ..models.methods import PaymentMethod
from . import attempts

Status = PaymentAttempt.Status
NO_METHOD = "no_payment_method"
AUTHENTICATION = "authentication_required"


def collect(invoice: Invoice, *, now: datetime) -> None:
    """
    Charge an open invoice to the account's default method, the customer not being present.

    The attempt is a row before it is a call, and its id is the call's key: one that was interrupted is the same
    charge when it is made again. Not in a transaction; safe to repeat.

    :raises StripeUnavailable: no answer; the attempt stays in flight and is taken up again.
    """
    attempt = _begin(invoice, now=now)
    if attempt is None or attempt.method is None:
        return
    try:
        raw = invoices.pay(
            invoice.stripe_invoice_id,
            method_processor_id=attempt.method.processor_id,
            off_session=True,
            key=f"attempt_{attempt.pk}",
        )
    except StripeDeclined as declined:
        _failed(attempt, status=Status.FAILED, code=declined.code, now=now)
    except StripeActionRequired:
        _failed(attempt, status=Status.ACTION_REQUIRED, code=AUTHENTICATION, now=now)
    except StripeRefused as refusal:
        # Somebody else was first: what the invoice says counts, whoever paid it.
        raw = invoices.retrieve(invoice.stripe_invoice_id)
        if read_invoice(raw).is_paid:
            _paid(attempt, raw, now=now)
        else:
            _failed(attempt, status=Status.FAILED, code=refusal.code, now=now)
    else:
        _paid(attempt, raw, now=now)


def _begin(invoice: Invoice, *, now: datetime) -> PaymentAttempt | None:
    """Return the attempt in flight, or a new one; None if there is nothing to pay, or nothing to pay it with."""
    with account_lock(invoice.account_id):
        invoice.refresh_from_db()
        if invoice.status != InvoiceStatus.OPEN.value:
            return None
        in_flight = invoice.attempts.filter(status=Status.IN_FLIGHT).select_related("method").first()
        if in_flight is not None:
            return in_flight
        method = PaymentMethod.objects.filter(
            account=invoice.account_id, is_default=True, is_usable=True, deleted_at__isnull=True
        ).first()
        if method is None:
            note_failure(invoice, collection_failed=NO_METHOD, now=now)
            return None
        return attempts.begin(invoice, method, now=now)


def _paid(attempt: PaymentAttempt, raw: Raw, *, now: datetime) -> None:
    """Write that the attempt succeeded, and all that follows for its invoice, in one transaction."""
    with account_lock(attempt.account_id):
        payment_intent_id = read_invoice(raw).payment_intent_id
        attempts.finish(attempt, status=Status.SUCCEEDED, code="", payment_intent_id=payment_intent_id, now=now)
        follow(raw, account_id=attempt.account_id, now=now)


def _failed(attempt: PaymentAttempt, *, status: str, code: str, now: datetime) -> None:
    """Write that the attempt failed, and why, on its invoice too."""
    with account_lock(attempt.account_id):
        if attempts.finish(attempt, status=status, code=code, now=now):
            note_failure(attempt.invoice, collection_failed=code, now=now)
