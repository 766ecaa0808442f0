"""Collect an open invoice. The only writer of payment attempts."""

from datetime import datetime

from accounts import journal
from accounts.lock import account_lock, holds_lock

from ..cfstripe import invoices
from ..cfstripe.errors import StripeActionRequired, StripeDeclined, StripeRefused
from ..cfstripe.shapes import Raw, read_invoice
from ..invoicing.follow import follow
from ..invoicing.record import note_failure
from ..invoicing.states import InvoiceStatus
from ..models.invoices import Invoice, PaymentAttempt
from ..models.methods import PaymentMethod

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
        _finish(attempt, None, status=Status.FAILED, code=declined.code, now=now)
    except StripeActionRequired:
        _finish(attempt, None, status=Status.ACTION_REQUIRED, code=AUTHENTICATION, now=now)
    except StripeRefused as refusal:
        # Somebody else was first: what the invoice says counts, whoever paid it.
        raw = invoices.retrieve(invoice.stripe_invoice_id)
        paid = read_invoice(raw).is_paid
        _finish(attempt, raw, status=Status.SUCCEEDED if paid else Status.FAILED, code=refusal.code, now=now)
    else:
        _finish(attempt, raw, status=Status.SUCCEEDED, code="", now=now)


def record_paid_purchase(
    invoice: Invoice, *, method_id: str, payment_intent_id: str, on_session: bool, started_at: datetime
) -> PaymentAttempt:
    """
    Write the attempt that paid a purchase, with its commit. One statement.

    Until then the workflow was the row that stood for the call: nothing of a purchase that fails is kept here.
    """
    assert holds_lock(invoice.account_id)
    return PaymentAttempt.objects.create(
        account_id=invoice.account_id,
        invoice=invoice,
        method_id=method_id or None,
        status=Status.SUCCEEDED,
        on_session=on_session,
        amount_minor=invoice.paid_minor,
        currency=invoice.currency,
        stripe_payment_intent_id=payment_intent_id,
        started_at=started_at,
        finished_at=invoice.paid_at,
    )


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
        attempt = PaymentAttempt.objects.create(
            account_id=invoice.account_id,
            invoice=invoice,
            method=method,
            status=Status.IN_FLIGHT,
            on_session=False,
            amount_minor=invoice.total_minor - invoice.paid_minor,
            currency=invoice.currency,
            started_at=now,
        )
        journal.emit(_fact("payment.attempted", attempt), at=now)
        return attempt


def _finish(attempt: PaymentAttempt, raw: Raw | None, *, status: str, code: str, now: datetime) -> None:
    """Write what became of an attempt, and what follows for its invoice, in one transaction."""
    with account_lock(attempt.account_id):
        attempt.status, attempt.code, attempt.finished_at = status, code, now
        if raw is not None:
            attempt.stripe_payment_intent_id = read_invoice(raw).payment_intent_id
        attempt.save(update_fields=["status", "code", "finished_at", "stripe_payment_intent_id"])
        succeeded = status == Status.SUCCEEDED
        journal.emit(_fact("payment.succeeded" if succeeded else "payment.failed", attempt), at=now)
        if raw is not None:
            follow(raw, account_id=attempt.account_id, now=now)
        if not succeeded:
            note_failure(attempt.invoice, collection_failed=code, now=now)


def _fact(kind: str, attempt: PaymentAttempt) -> journal.Fact:
    after = {
        "attempt_id": attempt.pk,
        "invoice_id": attempt.invoice_id,
        "amount_minor": attempt.amount_minor,
        "currency": attempt.currency,
        "code": attempt.code,
    }
    return journal.Fact(kind, attempt.account_id, "system:billing", cause=attempt.invoice_id, after=after)
