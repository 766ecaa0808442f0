"""The rows of an invoice's page: lines, attempts, credit notes, refunds, entries of the ledger."""

from collections.abc import Sequence

from billing.models.catalog import Price
from billing.models.invoices import InvoiceLine, PaymentAttempt
from billing.models.ledger import LedgerEntry, LedgerTransaction
from billing.models.objectproducts import Ope
from billing.models.reversals import CreditNote, Refund
from billing.payments.attempts import NOT_ATTEMPTED
from billing.payments.declines import NEXT, classify, told
from config.panel.cells import NOTHING, Tone, amount, badge, code, lines, link, moment, number, period, with_note

from .papers import paper_link

ATTEMPTS = {
    PaymentAttempt.Status.IN_FLIGHT: Tone.WAITING,
    PaymentAttempt.Status.SUCCEEDED: Tone.GOOD,
    PaymentAttempt.Status.FAILED: Tone.BAD,
    PaymentAttempt.Status.ACTION_REQUIRED: Tone.WAITING,
    PaymentAttempt.Status.UNKNOWN: Tone.WAITING,
}

NOTES = {
    CreditNote.Status.ASKED: Tone.WAITING,
    CreditNote.Status.ISSUED: Tone.GOOD,
    CreditNote.Status.REFUSED: Tone.BAD,
    CreditNote.Status.VOID: Tone.QUIET,
}
REFUNDS = {
    Refund.Status.ASKED: Tone.WAITING,
    Refund.Status.PENDING: Tone.WAITING,
    Refund.Status.SUCCEEDED: Tone.GOOD,
    Refund.Status.FAILED: Tone.BAD,
    Refund.Status.REFUSED: Tone.BAD,
    Refund.Status.AS_CREDIT: Tone.INFO,
}


def line_row(line: InvoiceLine, currency: str) -> Sequence[object]:
    """Return the cells of one line of an invoice."""
    return (
        link(Ope, line.ope_id, line.description) if line.ope_id else line.description,
        link(Price, line.price_id, line.price_id) if line.price_id else NOTHING,
        number(line.quantity),
        amount(line.unit_amount_minor, currency),
        amount(line.amount_minor, currency),
        period(line.period_start, line.period_end),
    )


def attempt_row(attempt: PaymentAttempt) -> Sequence[object]:
    """Return the cells of one attempt to collect, with its decline in words."""
    return (
        with_note(
            badge(attempt.get_status_display(), ATTEMPTS[PaymentAttempt.Status(attempt.status)]),
            lines(attempt.code, *_decline_in_words(attempt)) if attempt.code else "",
        ),
        amount(attempt.amount_minor, attempt.currency),
        with_note(
            attempt.method or NOTHING, "the customer was there" if attempt.on_session else "without the customer"
        ),
        moment(attempt.started_at),
        moment(attempt.finished_at),
        code(attempt.stripe_payment_intent_id),
    )


def _decline_in_words(attempt: PaymentAttempt) -> Sequence[str]:
    """Return what the customer is told of a failed attempt, and what follows from it."""
    if attempt.status != PaymentAttempt.Status.FAILED or attempt.code == NOT_ATTEMPTED:
        return ()
    return told(attempt.code), NEXT[classify(attempt.code, attempt.advice_code)].in_words


def note_row(note: CreditNote) -> Sequence[object]:
    """Return the cells of one credit note, with its paper."""
    return (
        with_note(
            badge(note.get_status_display(), NOTES[CreditNote.Status(note.status)]), note.refusal_code or note.memo
        ),
        amount(note.total_minor, note.currency),
        amount(note.off_debt_minor, note.currency),
        amount(note.to_method_minor, note.currency),
        amount(note.to_credit_minor, note.currency),
        with_note(moment(note.asked_at), note.actor),
        with_note(
            moment(note.issued_at),
            paper_link(note.account_id, note.pk, "credit_note", note.number or "paper") if note.issued_at else "",
        ),
    )


def refund_row(refund: Refund) -> Sequence[object]:
    """Return the cells of one refund."""
    return (
        with_note(badge(refund.get_status_display(), REFUNDS[Refund.Status(refund.status)]), refund.failure_code),
        amount(refund.amount_minor, refund.currency),
        moment(refund.asked_at),
        moment(refund.ended_at),
        code(refund.stripe_refund_id),
    )


def ledger_row(entry: LedgerEntry) -> Sequence[object]:
    """Return the cells of one entry of the ledger, on its side."""
    shown = amount(abs(entry.amount_minor), entry.currency)
    return (
        with_note(
            link(LedgerTransaction, entry.transaction_id, entry.transaction.get_kind_display()),
            code(entry.transaction.source),
        ),
        with_note(entry.get_book_display(), entry.book),
        shown if entry.amount_minor > 0 else "",
        shown if entry.amount_minor < 0 else "",
        moment(entry.transaction.posted_at),
    )
