"""What was asked for is done at Stripe: acts upon invoices and answers to disputes, each a row before it is a call."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import structlog

from accounts import claim as leases
from accounts.claim import claim, finishing
from accounts.lock import account_lock
from accounts.retry import backoff
from accounts.sweep import sweep

from ..cfstripe import credit_notes as stripe_credit_notes
from ..cfstripe import disputes as stripe_disputes
from ..cfstripe import invoices, mirror
from ..cfstripe import refunds as stripe_refunds
from ..cfstripe.errors import StripeRefused, StripeUnavailable
from ..cfstripe.reversals import read_credit_note
from ..cfstripe.shapes import Raw, read_invoice, read_tax_rate
from ..customers import ensure_customer
from ..models.reversals import CreditNote, DisputeDue, InvoiceAct, Refund
from . import acts, disputes, issue_credit_note, record, refunds
from .follow import follow
from .states import ActKind, InvoiceStatus

logger = structlog.get_logger()

HONEST_DEBT = "honest_debt"
# Stripe repeats the answer it gave to a key, errors too. After so many tries, with nothing found, a new one is used.
TRIES_A_KEY = 5


def carry_out_due(*, now: datetime, limit: int = 20) -> int:
    """Do what is due of acts and disputes, up to `limit` of each, and return how many were looked at."""
    due = claim(InvoiceAct, "done_at IS NULL", now=now, limit=limit)
    count = sweep(due, lambda act: _do(act, now), now=now, passing=(StripeUnavailable,))
    answers = claim(DisputeDue, now=now, limit=limit)
    return count + sweep(answers, lambda row: _answer(row, now), now=now, passing=(StripeUnavailable,))


def carry_out_now(act: InvoiceAct, *, now: datetime) -> InvoiceAct:
    """
    Do an act that was just asked for and return it as it then stands; what Stripe does not answer to is left to the
    sweep, and so is one that the sweep has taken already.
    """
    taken = leases.take(InvoiceAct, act.pk)
    if taken is not None:
        try:
            _do(taken, now)
        except StripeUnavailable:
            leases.give_back_failed(taken, next_at=now + backoff(taken.attempts))
        except Exception:
            with suppress(Exception):
                leases.give_back_failed(taken, next_at=now + backoff(taken.attempts))
            raise
    act.refresh_from_db()
    return act


def _do(act: InvoiceAct, now: datetime) -> None:
    if act.done_at is not None:
        return
    note = act.credit_note
    try:
        if note is not None and _is_to_issue(note):
            _issue(act, note, now)
        raw = DO[ActKind(act.kind)](act)
    except StripeRefused as refusal:
        _refused(act, refusal.code, now)
        return
    with account_lock(act.account_id):
        if act.kind == ActKind.WRITE_OFF.value:
            act.invoice.refresh_from_db()
            record.note_written_off(act.invoice, at=now)
        if raw is not None:
            follow(raw, account_id=act.account_id, now=now)
            mirror.remember([raw], account_id=act.account_id, seen_at=mirror.seen_by_own_call(now))
        acts.journal_done(act, now=now)
        leases.release(act, done_at=now)
        act.invoice.refresh_from_db()
        acts.settle_if_nothing_is_left(act.invoice, now=now)


def _is_to_issue(note: CreditNote) -> bool:
    """Whether a note, or the refund that it makes, is not recorded yet: Stripe's news of a note names no refund."""
    refund: Refund | None = getattr(note, "refund", None)
    waits_for_refund = refund is not None and refund.status == Refund.Status.ASKED
    return note.status == CreditNote.Status.ASKED or (note.status == CreditNote.Status.ISSUED and waits_for_refund)


def _issue(act: InvoiceAct, note: CreditNote, now: datetime) -> None:
    """Issue the note of an act at Stripe, unless it is only ours or there already, and record it with its refund."""
    facts, made = None, None
    if not note.is_ours:
        facts = read_credit_note(_known(act, note) or _create(act, note))
        made = stripe_refunds.retrieve(facts.refund_ids[0]) if facts.refund_ids else None
    with account_lock(act.account_id):
        issue_credit_note.record_issued(note, facts, now=now)
        if made is not None:
            refunds.follow(made, account_id=act.account_id, now=now)


def _known(act: InvoiceAct, note: CreditNote) -> Raw | None:
    """The note as Stripe has it, if it may have made it: we know its id, or asked for it before."""
    if note.stripe_credit_note_id:
        return stripe_credit_notes.retrieve(note.stripe_credit_note_id)
    return stripe_credit_notes.find(act.invoice.stripe_invoice_id, our_id=note.pk) if act.attempts else None


def _create(act: InvoiceAct, note: CreditNote) -> Raw:
    at_stripe_minor = note.total_minor if note.off_debt_minor == 0 else note.off_debt_minor
    tax_minor = min(note.tax_minor, at_stripe_minor)
    rate_id = read_tax_rate(invoices.retrieve(act.invoice.stripe_invoice_id)) if tax_minor else ""
    taken = stripe_credit_notes.Taken(
        net_minor=at_stripe_minor - tax_minor,
        tax_minor=tax_minor,
        tax_rate_id=rate_id,
        refund_minor=note.to_method_minor,
        outside_minor=note.to_credit_minor if note.off_debt_minor == 0 else 0,
    )
    key = _key("credit_note", note.pk, act.attempts)
    return stripe_credit_notes.create(act.invoice.stripe_invoice_id, taken, our_id=note.pk, memo=note.memo, key=key)


def _refused(act: InvoiceAct, code: str, now: datetime) -> None:
    """Stripe would not: if somebody did it already, that is recorded; else nothing of it holds."""
    logger.warning("act.refused_by_stripe", act=act.pk, kind=act.kind, code=code)
    raw = invoices.retrieve(act.invoice.stripe_invoice_id)
    is_done = read_invoice(raw).status == RESULT.get(ActKind(act.kind))
    with account_lock(act.account_id):
        follow(raw, account_id=act.account_id, now=now)
        note = act.credit_note
        if note is not None and _issued_as_ours(note, now=now):
            is_done = True
        elif note is not None and not is_done:
            issue_credit_note.refuse(note, code=code, now=now)
            if (refund := getattr(note, "refund", None)) is not None:
                refunds.refuse(refund, code=code, now=now)
        acts.journal_done(act, refused_code="" if is_done else code, now=now)
        leases.release(act, done_at=now, refused_code="" if is_done else code)


def _issued_as_ours(note: CreditNote, *, now: datetime) -> bool:
    """
    Issue the note of an honest debt by ourselves if somebody gave the invoice up at Stripe before it was there.

    Stripe takes none on such an invoice; what is owed is what our books say.
    """
    if note.why != HONEST_DEBT or note.status != CreditNote.Status.ASKED:
        return False
    note.invoice.refresh_from_db()
    if note.invoice.status != InvoiceStatus.UNCOLLECTIBLE.value:
        return False
    issue_credit_note.fit(note, note.invoice)
    issue_credit_note.record_issued(note, None, now=now)
    return True


def _refresh(act: InvoiceAct) -> Raw | None:
    return None if act.credit_note and act.credit_note.is_ours else invoices.retrieve(act.invoice.stripe_invoice_id)


def _give_up(act: InvoiceAct) -> Raw:
    raw = invoices.retrieve(act.invoice.stripe_invoice_id)
    if read_invoice(raw).status != InvoiceStatus.OPEN.value:
        return raw  # the credit note left nothing to pay, or somebody was first
    return invoices.mark_uncollectible(act.invoice.stripe_invoice_id, key=_key("uncollectible", act.pk, act.attempts))


def _settle(act: InvoiceAct) -> Raw:
    return invoices.mark_paid_outside(act.invoice.stripe_invoice_id, key=_key(act.kind, act.pk, act.attempts))


def _void(act: InvoiceAct) -> Raw:
    return invoices.void(act.invoice.stripe_invoice_id, key=_key("void", act.pk, act.attempts))


DO: dict[ActKind, Callable[[InvoiceAct], Raw | None]] = {
    ActKind.CREDIT_NOTE:   _refresh,
    ActKind.UNCOLLECTIBLE: _give_up,
    ActKind.WRITE_OFF:     _settle,
    ActKind.SETTLE:        _settle,
    ActKind.VOID:          _void,
}  # fmt: skip

# What the invoice is when an act has been done.
RESULT = {
    ActKind.UNCOLLECTIBLE: "uncollectible",
    ActKind.WRITE_OFF: "paid",
    ActKind.SETTLE: "paid",
    ActKind.VOID: "void",
}


def _answer(row: DisputeDue, now: datetime) -> None:
    """Do at Stripe what is wanted about a dispute, and record what it then is."""
    dispute = row.dispute
    key = _key(f"dispute_{row.wanted}", dispute.pk, row.attempts)
    raw: Raw | None = None
    try:
        if row.wanted == DisputeDue.Wanted.REBILL:
            _rebill(row, key, now)
            return
        if row.wanted == DisputeDue.Wanted.SUBMIT:
            raw = stripe_disputes.submit(dispute.stripe_dispute_id, evidence_text=dispute.evidence_text, key=key)
        else:
            raw = stripe_disputes.accept(dispute.stripe_dispute_id, key=key)
    except StripeRefused as refusal:
        with account_lock(dispute.account_id), finishing(row):
            disputes.note_refused(dispute, code=refusal.code, now=now)
        return
    with account_lock(dispute.account_id):
        with finishing(row):
            if row.wanted == DisputeDue.Wanted.SUBMIT:
                disputes.note_submitted(dispute, now=now)
        disputes.follow(raw, account_id=dispute.account_id, now=now)


def _rebill(row: DisputeDue, key: str, now: datetime) -> None:
    dispute = row.dispute
    customer_id = ensure_customer(dispute.account_id, now=now)
    raw = invoices.find_one_off(customer_id, our_id=dispute.pk) if row.attempts else None
    if raw is None or read_invoice(raw).status == InvoiceStatus.DRAFT.value:
        raw = invoices.create_one_off(
            customer_id,
            our_id=dispute.pk,
            currency=dispute.currency,
            amount_minor=dispute.amount_minor,
            description=f"Invoice {dispute.invoice}: its payment was taken back after a dispute",
            key=key,
        )
    with account_lock(dispute.account_id), finishing(row):
        disputes.record_rebilled(dispute, raw, now=now)


def _key(act: str, pk: str, attempts: int) -> str:
    return f"{act}_{pk}_{1 + attempts // TRIES_A_KEY}"
