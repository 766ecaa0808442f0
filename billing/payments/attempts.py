"""The only writer of payment attempts: each try to collect an invoice, from before the call to its outcome."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts import journal
from accounts.lock import holds_lock

from ..cfstripe.errors import StripeDeclined
from ..models.invoices import Invoice, PaymentAttempt, PaymentAttemptDue
from ..models.methods import PaymentMethod
from . import charges

Status = PaymentAttempt.Status
Source = PaymentAttempt.Source

AUTHENTICATION = "authentication_required"
# The code of an attempt of which the processor knows nothing: the call never arrived, and no bank was asked.
NOT_ATTEMPTED = "not_attempted"
# An attempt of which nobody has heard for so long is looked up at the processor.
LOOK_UP_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended; `code` and `advice_code` are the processor's words, empty for one that succeeded."""

    status: PaymentAttempt.Status
    code: str = ""
    advice_code: str = ""
    payment_intent_id: str = ""

    @classmethod
    def declined(cls, declined: StripeDeclined) -> "Outcome":
        """Return the outcome of a charge that the bank or the processor refused."""
        return cls(Status.FAILED, declined.code, declined.advice_code)


ASKS_CUSTOMER = Outcome(Status.ACTION_REQUIRED, AUTHENTICATION)


class PaymentNotShown(Exception):
    """
    An invoice is paid, and as it was shown to us it does not say by what. Ask Stripe for it: nothing was written.

    A payment whose name we don't know could not be found again when it is disputed or paid back.
    """


def begin(invoice: Invoice, method: PaymentMethod, *, on_session: bool, now: datetime) -> PaymentAttempt:
    """
    Write the attempt that is about to be made for what is left to pay.

    It is looked up if its outcome stays unknown. One at a time for each invoice. Three statements with its entry.
    """
    assert holds_lock(invoice.account_id)
    attempt = PaymentAttempt(
        account_id=invoice.account_id,
        invoice=invoice,
        method=method,
        source=Source.OURS,
        status=Status.IN_FLIGHT,
        on_session=on_session,
        amount_minor=invoice.remaining_minor,
        currency=invoice.currency,
        started_at=now,
    )
    _write(attempt, look_up_at=now + LOOK_UP_AFTER)
    return attempt


def begin_stripes(invoice: Invoice, *, now: datetime) -> PaymentAttempt:
    """Write that Stripe, which finalised the invoice by itself, may be charging it this moment. Three statements."""
    assert holds_lock(invoice.account_id)
    attempt = PaymentAttempt(
        account_id=invoice.account_id,
        invoice=invoice,
        source=Source.STRIPE,
        status=Status.IN_FLIGHT,
        on_session=False,
        amount_minor=invoice.remaining_minor,
        currency=invoice.currency,
        started_at=now,
    )
    _write(attempt, look_up_at=now)
    return attempt


def finish(attempt: PaymentAttempt, outcome: Outcome, *, method: PaymentMethod | None = None, now: datetime) -> bool:
    """
    Write what became of an attempt in flight; False, and nothing written, if that is known already.

    One that waits for the customer succeeds when the customer has confirmed it. `method` is the one that was
    charged, where only the outcome tells.
    """
    assert holds_lock(attempt.account_id)
    written = {
        "status": outcome.status,
        "code": outcome.code,
        "advice_code": outcome.advice_code,
        "finished_at": now,
        "stripe_payment_intent_id": outcome.payment_intent_id,
        **({"method": method} if method else {}),
    }
    open_still = [Status.IN_FLIGHT, *([Status.ACTION_REQUIRED] if outcome.status == Status.SUCCEEDED else [])]
    if not PaymentAttempt.objects.filter(pk=attempt.pk, status__in=open_still).update(**written):
        return False
    PaymentAttemptDue.objects.filter(pk=attempt.pk).delete()
    for name, value in written.items():
        setattr(attempt, name, value)
    if outcome.status == Status.SUCCEEDED:
        charges.record(attempt, at=now)
    journal.emit(_fact(ENTRIES[outcome.status], attempt), at=now)
    return True


def in_flight(invoice: Invoice) -> PaymentAttempt | None:
    """Return the attempt whose outcome nobody knows yet, if there is one."""
    return invoice.attempts.filter(status=Status.IN_FLIGHT).select_related("method").first()


def note_paid(invoice: Invoice, *, payment_intent_id: str | None, now: datetime) -> None:
    """
    Account for a payment that is on the invoice: the attempt in flight has succeeded, or Stripe made one by itself.

    Stripe does so when nobody takes an invoice over in time. Nothing is written where the attempt is known.

    :raises PaymentNotShown: it is to be written, and what we were shown does not name it (None).
    """
    assert holds_lock(invoice.account_id)
    if invoice.paid_minor == 0 or invoice.attempts.filter(status=Status.SUCCEEDED).exists():
        return
    if payment_intent_id is None:
        raise PaymentNotShown(invoice.stripe_invoice_id)
    pending = in_flight(invoice) or invoice.attempts.filter(status=Status.ACTION_REQUIRED).order_by("started_at").last()
    if pending is not None:
        finish(pending, Outcome(Status.SUCCEEDED, payment_intent_id=payment_intent_id), now=now)
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
    charges.record(theirs, at=invoice.paid_at or now)
    journal.emit(_fact("payment.succeeded", theirs), at=now)


def record_paid_purchase(
    invoice: Invoice, *, method_id: str, payment_intent_id: str, on_session: bool, started_at: datetime
) -> PaymentAttempt:
    """
    Write the attempt that paid a purchase or change, and its charge, with its commit, which journals both.

    Until then the workflow was the row that stood for the call: nothing of a purchase that fails is kept here.
    """
    assert holds_lock(invoice.account_id)
    attempt = PaymentAttempt.objects.create(
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
    if invoice.paid_minor:
        charges.record(attempt, at=invoice.paid_at or started_at)
    return attempt


# What the journal calls each end of an attempt.
ENTRIES: dict[str, str] = {
    Status.SUCCEEDED:       "payment.succeeded",
    Status.FAILED:          "payment.failed",
    Status.ACTION_REQUIRED: "payment.action_required",
}  # fmt: skip


def _write(attempt: PaymentAttempt, *, look_up_at: datetime) -> None:
    attempt.save(force_insert=True)
    PaymentAttemptDue.objects.create(attempt=attempt, next_at=look_up_at)
    journal.emit(_fact("payment.attempted", attempt), at=attempt.started_at)


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
