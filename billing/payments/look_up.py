"""Attempts whose outcome nobody knows: looked up at the processor, never repeated blindly."""

from datetime import datetime, timedelta

from accounts import claim as leases
from accounts.lock import account_lock
from accounts.sweep import sweep

from ..cfstripe import invoices, payment_intents
from ..cfstripe.errors import StripeUnavailable
from ..cfstripe.shapes import IntentFacts, InvoiceFacts, read_invoice
from ..invoicing.due import take_on
from ..models.invoices import PaymentAttempt, PaymentAttemptDue
from ..models.methods import PaymentMethod
from .attempts import ASKS_CUSTOMER, LOOK_UP_AFTER, NOT_ATTEMPTED, Outcome
from .charge_apart import charge_apart, is_apart
from .conclude import conclude, paid_by

Status = PaymentAttempt.Status
Source = PaymentAttempt.Source
ASK_STRIPE_AGAIN = timedelta(minutes=1)


def look_up_due(*, now: datetime, limit: int = 20) -> int:
    """Look up to `limit` attempts up that have been in flight for long, and return how many there were."""

    def act(row: PaymentAttemptDue) -> None:
        attempt = PaymentAttempt.objects.select_related("invoice", "method").get(pk=row.pk)
        if not look_up(attempt, now=now):
            leases.release(row, next_at=now + (LOOK_UP_AFTER if attempt.source == Source.OURS else ASK_STRIPE_AGAIN))

    due = leases.claim(PaymentAttemptDue, now=now, limit=limit)
    return sweep(due, act, now=now, passing=(StripeUnavailable,))


def look_up(attempt: PaymentAttempt, *, now: datetime) -> bool:
    """
    Ask the processor what became of an attempt and conclude it; False if the bank has not answered yet.

    When it failed, or was never made, the invoice is collected again with what remains to try.

    :raises StripeUnavailable: no answer; nothing was written.
    """
    if is_apart(attempt.invoice):
        charge_apart(attempt, now=now)  # under its key: the answer that was lost, or the first
        attempt.refresh_from_db()
        return attempt.status != Status.IN_FLIGHT
    raw = invoices.retrieve(attempt.invoice.stripe_invoice_id)
    facts = read_invoice(raw)
    if facts.is_paid:
        conclude(attempt, paid_by(raw), raw=raw, now=now)
        return True
    outcome = _outcome(attempt, facts, now=now)
    if outcome is None:
        return False
    with account_lock(attempt.account_id):
        conclude(attempt, outcome, raw=raw, method=_method_of(attempt, facts), now=now)
        if not attempt.on_session:
            take_on(attempt.invoice, at=now)
    return True


def _outcome(attempt: PaymentAttempt, facts: InvoiceFacts, *, now: datetime) -> Outcome | None:
    """How an attempt for an invoice that is not paid ended; None: not yet."""
    if not facts.payment_intent_id:
        return Outcome(Status.FAILED, NOT_ATTEMPTED)
    intent = payment_intents.look_up(facts.payment_intent_id)
    if intent.status in ("processing", "succeeded"):
        return None
    if intent.status == "requires_action":
        return ASKS_CUSTOMER
    if intent.decline is not None and _is_of(attempt, intent):
        return Outcome(Status.FAILED, intent.decline.code, intent.decline.advice_code, intent.id)
    # Stripe charges what it has finalised within moments; one that it has not begun by then, it never will.
    if attempt.source == Source.STRIPE and now < attempt.started_at + LOOK_UP_AFTER:
        return None
    return Outcome(Status.FAILED, NOT_ATTEMPTED)


def _is_of(attempt: PaymentAttempt, intent: IntentFacts) -> bool:
    """Whether the intent's last decline is this attempt's: with its method, and not from before it began."""
    if attempt.method is None:
        return True
    assert intent.decline is not None
    began_at = attempt.started_at.replace(microsecond=0)
    is_since = intent.charged_at is None or intent.charged_at >= began_at
    return is_since and intent.decline.method_processor_id == attempt.method.processor_id


def _method_of(attempt: PaymentAttempt, facts: InvoiceFacts) -> PaymentMethod | None:
    """The method that Stripe chose, for an attempt that was its own."""
    if attempt.method is not None or facts.decline is None:
        return None
    return PaymentMethod.objects.filter(
        account=attempt.account_id, processor_id=facts.decline.method_processor_id
    ).first()
