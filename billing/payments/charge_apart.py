"""
Charge the honest debt of an invoice of which Stripe's copy asks for more: somebody gave it up there before its note.

Stripe takes no credit note on such an invoice, so it is paid by a payment of its own, of what our books say, and then
marked as paid there (`ActKind.SETTLE`).
"""

from datetime import datetime, timedelta

from accounts.lock import account_lock

from ..cfstripe import payment_intents
from ..cfstripe.errors import StripeActionRequired, StripeDeclined, StripeRefused
from ..cfstripe.reversals import OUR_ID
from ..cfstripe.shapes import Raw, read_intent
from ..customers import ensure_customer
from ..invoicing.acts import settle_if_nothing_is_left
from ..invoicing.books import Book
from ..invoicing.record import note_paid_elsewhere
from ..models.invoices import Invoice, PaymentAttempt
from ..models.reversals import CreditNote
from .attempts import AUTHENTICATION, NOT_ATTEMPTED, Outcome, finish
from .conclude import conclude

Status = PaymentAttempt.Status
# Stripe repeats the answer to a key for a day; after that nothing is asked again under it.
KEY_LASTS = timedelta(hours=23)


def is_apart(invoice: Invoice) -> bool:
    """Whether our books ask for less than Stripe's copy of the invoice. One statement."""
    notes = invoice.credit_notes.filter(is_ours=True, status=CreditNote.Status.ISSUED, off_debt_minor__gt=0)
    return notes.exists()


def waiting(invoice: Invoice) -> PaymentAttempt | None:
    """Return the payment that the customer can still confirm: another beside it might be confirmed as well."""
    asked = invoice.attempts.filter(status=Status.ACTION_REQUIRED).exclude(stripe_payment_intent_id="")
    return asked.order_by("started_at").last()


def charge_apart(attempt: PaymentAttempt, *, now: datetime) -> None:
    """
    Make the payment of an attempt and conclude it; its id is the payment's key, so that repeating it is the same one.

    :raises StripeUnavailable: no answer; the attempt stays in flight.
    """
    assert attempt.method is not None, "an attempt of ours has a method"
    if now > attempt.started_at + KEY_LASTS:
        conclude(attempt, Outcome(Status.FAILED, NOT_ATTEMPTED), now=now)
        return
    try:
        raw = payment_intents.charge(
            ensure_customer(attempt.account_id, now=now),
            method_processor_id=attempt.method.processor_id,
            amount_minor=attempt.amount_minor,
            currency=attempt.currency,
            off_session=not attempt.on_session,
            our_id=attempt.pk,
            key=f"attempt_{attempt.pk}",
        )
    except StripeDeclined as declined:
        conclude(attempt, Outcome.declined(declined), now=now)
    except StripeActionRequired:
        conclude(attempt, Outcome(Status.ACTION_REQUIRED, AUTHENTICATION), now=now)
    except StripeRefused as refusal:
        conclude(attempt, Outcome(Status.FAILED, refusal.code), now=now)
    else:
        _follow(attempt, raw, now=now)


def follow(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """Record that a payment of this kind has succeeded, if it is one; under the account's lock. Safe to repeat."""
    our_id = (raw.get("metadata") or {}).get(OUR_ID)
    if not our_id or raw["status"] != "succeeded":
        return False
    attempt = PaymentAttempt.objects.filter(account=account_id, pk=our_id).select_related("invoice").first()
    return attempt is not None and _settle(attempt, raw, now=now)


def _follow(attempt: PaymentAttempt, raw: Raw, *, now: datetime) -> None:
    intent = read_intent(raw)
    if intent.status == "succeeded":
        with account_lock(attempt.account_id):
            _settle(attempt, raw, now=now)
    elif intent.status == "requires_action":
        outcome = Outcome(Status.ACTION_REQUIRED, AUTHENTICATION, payment_intent_id=intent.id)
        conclude(attempt, outcome, now=now)


def _settle(attempt: PaymentAttempt, raw: Raw, *, now: datetime) -> bool:
    """Write that it was paid, and have Stripe's copy marked so."""
    if not finish(attempt, Outcome(Status.SUCCEEDED, payment_intent_id=raw["id"]), now=now):
        return False
    invoice = Invoice.objects.get(pk=attempt.invoice_id)
    note_paid_elsewhere(invoice, reference=attempt.pk, book=Book.CASH_STRIPE, amount_minor=attempt.amount_minor, at=now)
    settle_if_nothing_is_left(invoice, now=now)
    return True
