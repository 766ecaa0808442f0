"""The only writer of payment attempts: each try to collect an invoice, from before the call to its outcome."""

from datetime import datetime

from accounts import journal
from accounts.lock import holds_lock

from ..models.invoices import Invoice, PaymentAttempt
from ..models.methods import PaymentMethod

Status = PaymentAttempt.Status
Source = PaymentAttempt.Source


def begin(invoice: Invoice, method: PaymentMethod, *, now: datetime) -> PaymentAttempt:
    """Write the attempt that is about to be made; one at a time for each invoice. Two statements with its entry."""
    assert holds_lock(invoice.account_id)
    attempt = PaymentAttempt.objects.create(
        account_id=invoice.account_id,
        invoice=invoice,
        method=method,
        source=Source.OURS,
        status=Status.IN_FLIGHT,
        on_session=False,
        amount_minor=invoice.total_minor - invoice.paid_minor,
        currency=invoice.currency,
        started_at=now,
    )
    journal.emit(_fact("payment.attempted", attempt), at=now)
    return attempt


def finish(attempt: PaymentAttempt, *, status: str, code: str, payment_intent_id: str = "", now: datetime) -> bool:
    """Write what became of an attempt in flight; False, and nothing written, if that is known already."""
    assert holds_lock(attempt.account_id)
    in_flight = PaymentAttempt.objects.filter(pk=attempt.pk, status=Status.IN_FLIGHT)
    outcome = {"status": status, "code": code, "finished_at": now, "stripe_payment_intent_id": payment_intent_id}
    if not in_flight.update(**outcome):
        return False
    for name, value in outcome.items():
        setattr(attempt, name, value)
    journal.emit(_fact("payment.succeeded" if status == Status.SUCCEEDED else "payment.failed", attempt), at=now)
    return True


def note_paid(invoice: Invoice, *, payment_intent_id: str, now: datetime) -> None:
    """
    Account for a payment that is on the invoice: the attempt in flight has succeeded, or Stripe made one by itself.

    Stripe does so when nobody takes an invoice over in time. Nothing is written where the attempt is known.
    """
    assert holds_lock(invoice.account_id)
    if invoice.paid_minor == 0 or invoice.attempts.filter(status=Status.SUCCEEDED).exists():
        return
    ours = invoice.attempts.filter(status=Status.IN_FLIGHT).first()
    if ours is not None:
        finish(ours, status=Status.SUCCEEDED, code="", payment_intent_id=payment_intent_id, now=now)
        return
    theirs = PaymentAttempt.objects.create(
        account_id=invoice.account_id,
        invoice=invoice,
        source=Source.STRIPE,
        status=Status.SUCCEEDED,
        on_session=False,
        amount_minor=invoice.paid_minor,
        currency=invoice.currency,
        stripe_payment_intent_id=payment_intent_id,
        started_at=invoice.paid_at or now,
        finished_at=invoice.paid_at or now,
    )
    journal.emit(_fact("payment.succeeded", theirs), at=now)


def record_paid_purchase(
    invoice: Invoice, *, method_id: str, payment_intent_id: str, on_session: bool, started_at: datetime
) -> PaymentAttempt:
    """
    Write the attempt that paid a purchase or change, with its commit. One statement; the commit journals.

    Until then the workflow was the row that stood for the call: nothing of a purchase that fails is kept here.
    """
    assert holds_lock(invoice.account_id)
    return PaymentAttempt.objects.create(
        account_id=invoice.account_id,
        invoice=invoice,
        method_id=method_id or None,
        source=Source.OURS,
        status=Status.SUCCEEDED,
        on_session=on_session,
        amount_minor=invoice.paid_minor,
        currency=invoice.currency,
        stripe_payment_intent_id=payment_intent_id,
        started_at=started_at,
        finished_at=invoice.paid_at,
    )


def _fact(kind: str, attempt: PaymentAttempt) -> journal.Fact:
    after = {
        "attempt_id": attempt.pk,
        "invoice_id": attempt.invoice_id,
        "amount_minor": attempt.amount_minor,
        "currency": attempt.currency,
        "code": attempt.code,
        "source": attempt.source,
    }
    return journal.Fact(kind, attempt.account_id, "system:billing", cause=attempt.invoice_id, after=after)
