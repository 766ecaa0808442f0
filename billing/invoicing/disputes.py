"""The only writer of disputes: payments that banks took back, until it is decided whose they are."""

from datetime import datetime

from accounts import journal
from accounts.lock import account_lock, holds_lock
from config import wake

from ..cfstripe.reversals import DisputeFacts, read_dispute
from ..cfstripe.shapes import Raw, read_invoice
from ..models.reversals import Charge, Dispute, DisputeDue
from ..payments import charges
from . import ledger, postings
from .record import record_new
from .states import FinalizeReason

Wanted = DisputeDue.Wanted
OPEN = ("needs_response", "warning_needs_response")


class DisputeRefused(Exception):
    """The dispute can't be answered in this way now; the message says why. Nothing was written."""

    code = "dispute_refused"


def follow(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Bring our row of a dispute up to date with Stripe's, and post what that means; return whether anything changed.

    Safe to repeat, in any order. While it is open the money is neither ours nor a debt; won, it is back; lost, it is
    billed anew. An inquiry has taken no money.

    :raises PaymentUnknown: we know nothing of the payment yet.
    """
    assert holds_lock(account_id)
    facts = read_dispute(raw)
    dispute = Dispute.objects.filter(account=account_id, stripe_dispute_id=facts.id).select_related("invoice").first()
    if dispute is None:
        charge = charges.find(account_id, payment_id=facts.payment_intent_id, charge_id=facts.charge_id)
        dispute = _open(charge, facts, now=now)
    elif dispute.closed_at is not None or (dispute.status, dispute.evidence_due_at) == (
        facts.status,
        facts.evidence_due_at,
    ):
        return False
    else:
        _update(dispute, facts, now=now)
    _post(dispute, facts, now=now)
    return True


def why_not_answer(dispute: Dispute) -> str:
    """Return why a dispute can't be answered now; empty if it can."""
    if dispute.closed_at is not None:
        return f"it is closed: {dispute.status}"
    if dispute.submitted_at is not None:
        return "the evidence was sent; the bank decides now"
    if DisputeDue.objects.filter(dispute=dispute).exists():
        return "an answer is on its way"
    return ""


def submit_evidence(dispute_id: str, *, evidence_text: str, actor: str, now: datetime) -> None:
    """
    Write down the evidence that is to be sent to the bank; it can be sent once.

    :raises DisputeRefused: the dispute is closed, or was answered.
    """
    _want(dispute_id, Wanted.SUBMIT, evidence_text=evidence_text, actor=actor, now=now)


def accept(dispute_id: str, *, actor: str, now: datetime) -> None:
    """
    Write down that a dispute is to be given in to: it will be lost, and what it was about is billed anew.

    :raises DisputeRefused: the dispute is closed, or was answered.
    """
    _want(dispute_id, Wanted.ACCEPT, evidence_text="", actor=actor, now=now)


def note_submitted(dispute: Dispute, *, now: datetime) -> None:
    """Write that the bank has the evidence."""
    assert holds_lock(dispute.account_id)
    Dispute.objects.filter(pk=dispute.pk).update(submitted_at=now)
    journal.emit(_fact("dispute.evidence_sent", dispute), at=now)


def note_refused(dispute: Dispute, *, code: str, now: datetime) -> None:
    """Write that Stripe did not take what was to be done about a dispute."""
    assert holds_lock(dispute.account_id)
    Dispute.objects.filter(pk=dispute.pk).update(refused_code=code)
    journal.emit(_fact("dispute.answer_refused", dispute, code=code), at=now)


def record_rebilled(dispute: Dispute, raw: Raw, *, now: datetime) -> None:
    """Write the invoice that asks for what a lost dispute was about; one that is there stays."""
    assert holds_lock(dispute.account_id)
    if dispute.rebilled_id is not None:
        return
    invoice = record_new(
        read_invoice(raw),
        (),
        account_id=dispute.account_id,
        schedule_id=None,
        workflow_id=None,
        reason=FinalizeReason.DISPUTE,
    )
    Dispute.objects.filter(pk=dispute.pk).update(rebilled=invoice)
    after = {
        "invoice_id": invoice.pk,
        "status": invoice.status,
        "total_minor": invoice.total_minor,
        "currency": invoice.currency,
    }
    journal.emit(
        journal.Fact("invoice.recorded", dispute.account_id, "system:billing", cause=dispute.pk, after=after), at=now
    )


def disputed_method_ids(account_id: str) -> frozenset[str]:
    """Return the payment methods whose payments were disputed and not won: nobody charges them by himself again."""
    found = Dispute.objects.filter(account=account_id).exclude(status__in=["won", "warning_closed"])
    return frozenset(filter(None, found.values_list("charge__attempt__method", flat=True)))


def _open(charge: Charge, facts: DisputeFacts, *, now: datetime) -> Dispute:
    dispute = Dispute.objects.create(
        account_id=charge.account_id,
        charge=charge,
        invoice=charge.invoice,
        stripe_dispute_id=facts.id,
        status=facts.status,
        reason=facts.reason,
        amount_minor=facts.amount_minor,
        currency=facts.currency,
        evidence_due_at=facts.evidence_due_at,
        opened_at=facts.created_at,
        closed_at=now if facts.is_closed else None,
    )
    charges.note_processor_charge(charge, facts.charge_id)
    journal.emit(_fact("dispute.opened", dispute), at=now)
    return dispute


def _update(dispute: Dispute, facts: DisputeFacts, *, now: datetime) -> None:
    dispute.status, dispute.evidence_due_at = facts.status, facts.evidence_due_at
    dispute.closed_at = now if facts.is_closed else None
    dispute.save(update_fields=["status", "evidence_due_at", "closed_at"])
    journal.emit(_fact("dispute.updated", dispute), at=now)


def _post(dispute: Dispute, facts: DisputeFacts, *, now: datetime) -> None:
    """Post where the money is; what was posted before stays as it is."""
    if facts.is_inquiry:
        return
    moved = [postings.dispute_opened(dispute.pk, amount_minor=dispute.amount_minor)]
    if facts.status == "won":
        moved.append(postings.dispute_won(dispute.pk, amount_minor=dispute.amount_minor))
        journal.emit(_fact("dispute.won", dispute), at=now)
    if facts.status == "lost":
        moved.append(postings.dispute_lost(dispute.pk, amount_minor=dispute.amount_minor))
        DisputeDue.objects.update_or_create(
            dispute=dispute, defaults={"wanted": Wanted.REBILL, "actor": "system:billing", "next_at": now}
        )
        wake.wake("billing.carry_out")
        journal.emit(_fact("dispute.lost", dispute), at=now)
    ledger.post(dispute.invoice, moved, at=now)


def _want(dispute_id: str, wanted: DisputeDue.Wanted, *, evidence_text: str, actor: str, now: datetime) -> None:
    dispute = Dispute.objects.get(pk=dispute_id)
    with account_lock(dispute.account_id):
        dispute.refresh_from_db()
        if because := why_not_answer(dispute):
            raise DisputeRefused(f"This dispute can't be answered: {because}.")
        Dispute.objects.filter(pk=dispute_id).update(evidence_text=evidence_text, refused_code="")
        DisputeDue.objects.create(dispute=dispute, wanted=wanted, actor=actor, next_at=now)
        journal.emit(_fact("dispute.answer_asked", dispute, actor=actor, code=wanted.value), at=now)
        wake.wake("billing.carry_out")


def _fact(kind: str, dispute: Dispute, *, actor: str = "system:billing", code: str = "") -> journal.Fact:
    after = {
        "dispute_id": dispute.pk,
        "invoice_id": dispute.invoice_id,
        "amount_minor": dispute.amount_minor,
        "currency": dispute.currency,
        "status": dispute.status,
        "code": code,
    }
    return journal.Fact(kind, dispute.account_id, actor, cause=dispute.stripe_dispute_id, after=after)
