"""The one way out of an attempt: it succeeded, failed, or waits for the customer."""

from datetime import datetime

from accounts.lock import account_lock

from ..cfstripe.shapes import Raw, read_invoice
from ..invoicing.follow import follow
from ..invoicing.record import note_failure
from ..models.invoices import PaymentAttempt
from ..models.methods import PaymentMethod
from . import attempts, methods
from .attempts import Outcome
from .declines import NEXT, classify

Status = PaymentAttempt.Status


def conclude(
    attempt: PaymentAttempt,
    outcome: Outcome,
    *,
    raw: Raw | None = None,
    method: PaymentMethod | None = None,
    now: datetime,
) -> None:
    """
    Write how an attempt ended and all that follows, in one transaction; safe to repeat, the first outcome stands.

    `raw` is the invoice as Stripe shows it afterwards. A failure stands on the invoice too, and a method that must
    never be charged again is stopped.
    """
    with account_lock(attempt.account_id):
        charged = method or attempt.method
        is_news = attempts.finish(attempt, outcome, method=method, now=now)
        if raw is not None:
            follow(raw, account_id=attempt.account_id, now=now)
        if not is_news or outcome.status == Status.SUCCEEDED:
            return
        note_failure(attempt.invoice, collection_failed=outcome.code, now=now)
        if charged is not None:
            note_decline(charged, code=outcome.code, advice_code=outcome.advice_code, now=now)


def paid_by(raw: Raw) -> Outcome:
    """Return the outcome of an attempt after which the invoice is paid."""
    return Outcome(Status.SUCCEEDED, payment_intent_id=read_invoice(raw).payment_intent_id)


def note_decline(method: PaymentMethod, *, code: str, advice_code: str, now: datetime) -> None:
    """Stop a method of which this decline says that it must never be charged again. Under the account's lock."""
    if NEXT[classify(code, advice_code)].stops_method:
        methods.stop_charging(method, why=code, now=now)
