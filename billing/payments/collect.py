"""Collect an open invoice while the customer is away: one attempt at a time, a row before it is a call."""

from datetime import datetime

from accounts import claim as leases
from accounts.lock import account_lock

from ..cfstripe import invoices
from ..cfstripe.errors import StripeActionRequired, StripeDeclined, StripeRefused, StripeUnavailable
from ..cfstripe.shapes import read_invoice
from ..invoicing.record import note_failure
from ..invoicing.states import InvoiceStatus
from ..models.invoices import Invoice, PaymentAttempt, PaymentAttemptDue
from ..models.methods import PaymentMethod
from . import attempts
from .attempts import ASKS_CUSTOMER, LOOK_UP_AFTER, Outcome
from .candidates import candidates
from .charge_apart import charge_apart, is_apart
from .choose import next_method
from .conclude import conclude, paid_by

Status = PaymentAttempt.Status
Source = PaymentAttempt.Source
NO_METHOD = "no_payment_method"


class AttemptInFlight(Exception):
    """Somebody is charging this invoice, or nobody knows yet what became of it: it is not charged again meanwhile."""

    code = "payment_in_flight"
    retry_after_seconds = 1


def collect(invoice: Invoice, *, now: datetime) -> None:
    """
    Charge an open invoice to the account's primary method and, when that fails, to each other one in order.

    It stops at the first that pays. A method that failed for this invoice is left alone for as long as its decline
    says (`declines.py`), so that this is safe to repeat and never a retry by itself: when to come back is the
    caller's to say. Not in a transaction.

    :raises StripeUnavailable: no answer; the attempt stays in flight and is taken up again.
    :raises AttemptInFlight: another attempt is under way.
    """
    while (attempt := _next(invoice, now=now)) is not None:
        charge(attempt, now=now)
        if attempt.status == Status.SUCCEEDED:
            return


def charge(attempt: PaymentAttempt, *, now: datetime) -> None:
    """
    Make the call of an attempt that this thread holds, and conclude it. Repeating it is the same charge: its id is
    the call's key.

    :raises StripeUnavailable: no answer; the attempt stays in flight, for whoever comes next.
    """
    assert attempt.method is not None, "an attempt of ours has a method"
    if is_apart(attempt.invoice):
        try:
            charge_apart(attempt, now=now)
        except StripeUnavailable:
            let_go(attempt)
            raise
        return
    stripe_invoice_id = attempt.invoice.stripe_invoice_id
    try:
        raw = invoices.pay(
            stripe_invoice_id,
            method_processor_id=attempt.method.processor_id,
            off_session=not attempt.on_session,
            key=f"attempt_{attempt.pk}",
        )
    except StripeDeclined as declined:
        conclude(attempt, Outcome.declined(declined), now=now)
    except StripeActionRequired:
        conclude(attempt, ASKS_CUSTOMER, now=now)
    except StripeRefused as refusal:
        # Somebody else was first: what the invoice says counts, whoever paid it.
        raw = invoices.retrieve(stripe_invoice_id)
        paid = read_invoice(raw).is_paid
        conclude(attempt, paid_by(raw) if paid else Outcome(Status.FAILED, refusal.code), raw=raw, now=now)
    except StripeUnavailable:
        let_go(attempt)
        raise
    else:
        conclude(attempt, paid_by(raw), raw=raw, now=now)


def hold(attempt: PaymentAttempt, *, now: datetime) -> None:
    """
    Take an attempt in flight to make its call, so that nobody makes it at the same time.

    :raises AttemptInFlight: somebody is making it, it is Stripe's own, or it is so old that it must be looked up.
    """
    if attempt.source != Source.OURS or now >= attempt.started_at + LOOK_UP_AFTER:
        raise AttemptInFlight
    if leases.take(PaymentAttemptDue, attempt.pk) is None:
        raise AttemptInFlight


def refuse_while_acted_upon(invoice: Invoice) -> None:
    """
    Refuse to charge an invoice that is being made smaller, voided or settled: what is owed on it is about to change.

    :raises AttemptInFlight: ask again in a moment.
    """
    if invoice.acts.filter(done_at__isnull=True).exists():
        raise AttemptInFlight


def let_go(attempt: PaymentAttempt) -> None:
    """Leave an attempt in flight to whoever comes next."""
    due = PaymentAttemptDue.objects.filter(pk=attempt.pk).first()
    if due is not None:
        leases.give_back(due)


def _next(invoice: Invoice, *, now: datetime) -> PaymentAttempt | None:
    """Return the attempt in flight, or a new one; None if there is nothing to pay, or nothing to pay it with."""
    with account_lock(invoice.account_id):
        invoice.refresh_from_db()
        if invoice.status != InvoiceStatus.OPEN.value or not invoice.stripe_invoice_id:
            return None
        refuse_while_acted_upon(invoice)
        attempt = attempts.in_flight(invoice)
        if attempt is None:
            chosen = next_method(candidates(invoice, now=now), now)
            if chosen is None:
                if not invoice.collection_failed:
                    note_failure(invoice, collection_failed=NO_METHOD, now=now)
                return None
            method = PaymentMethod.objects.get(pk=chosen.id)
            attempt = attempts.begin(invoice, method, on_session=False, now=now)
        hold(attempt, now=now)
        return attempt
