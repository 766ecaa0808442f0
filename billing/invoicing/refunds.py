"""The only writer of refunds: money on its way back, and what becomes of it."""

from datetime import datetime

from accounts import journal
from accounts.lock import account_lock, holds_lock
from accounts.models import SubsStuckEvent
from accounts.stuck import open_stuck, settle_stuck

from ..cfstripe.reversals import RefundFacts, read_charge, read_refund
from ..cfstripe.shapes import Raw
from ..models.credits import Credit
from ..models.reversals import Charge, CreditNote, Refund
from ..payments import charges
from . import credits as customer_credits
from . import ledger, postings
from .books import Book

Status = Refund.Status
# Stripe's words for one that is still on its way.
UNDER_WAY = frozenset({"pending", "requires_action"})


class RefundRefused(Exception):
    """The refund can't be made as it was asked for; the message says why. Nothing was written."""

    code = "refund_refused"


def begin(note: CreditNote, charge: Charge, *, now: datetime) -> Refund:
    """
    Write the refund that a credit note is going to make. The charge counts it at once, so that it can't be given twice.

    The caller journals the note.
    """
    assert holds_lock(note.account_id)
    charges.note_refunded(charge, by_minor=note.to_method_minor)
    return Refund.objects.create(
        account_id=note.account_id,
        charge=charge,
        credit_note=note,
        status=Status.ASKED,
        amount_minor=note.to_method_minor,
        currency=note.currency,
        asked_at=now,
    )


def refuse(refund: Refund, *, code: str, now: datetime) -> None:
    """Write that the processor would not make a refund: its money is still ours to give."""
    assert holds_lock(refund.account_id)
    if Refund.objects.filter(pk=refund.pk, status=Status.ASKED).update(
        status=Status.REFUSED, failure_code=code, ended_at=now
    ):
        charges.note_refunded(refund.charge, by_minor=-refund.amount_minor)
        refund.refresh_from_db()
        journal.emit(_fact("refund.refused", refund), at=now)


def follow(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Bring our row of a refund up to date with Stripe's; return whether anything changed. Safe to repeat, in any order.

    One that we asked for and know no id of yet is that one: an invoice has one at a time. Any other that is new to us
    was made at Stripe by somebody (`note_charge` has usually recorded it). One that has failed is a task for an
    operator: the money is back here, and still the customer's.

    :raises PaymentUnknown: we know nothing of the payment yet.
    """
    assert holds_lock(account_id)
    facts = read_refund(raw)
    charge = charges.find(account_id, payment_id=facts.payment_intent_id, charge_id=facts.charge_id)
    refund = Refund.objects.filter(account=account_id, stripe_refund_id=facts.id).first()
    if refund is None:
        nameless = Refund.objects.filter(charge=charge, stripe_refund_id="", amount_minor=facts.amount_minor)
        refund = nameless.filter(status__in=[Status.ASKED, Status.PENDING]).first()
        if refund is None:
            if facts.has_failed:
                return False
            refund = _begin_theirs(charge, facts.amount_minor, asked_at=facts.created_at)
        _made(refund, charge, facts, now=now)
    return _move(refund, facts, now=now)


def note_charge(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Record what of a payment went back that we did not ask for; return whether there was any.

    Stripe tells how much of a charge was refunded, not by what: the refund's own id is learnt only if it fails.

    :raises PaymentUnknown: we know nothing of the payment yet.
    """
    assert holds_lock(account_id)
    facts = read_charge(raw)
    charge = charges.find(account_id, payment_id=facts.payment_intent_id, charge_id=facts.id)
    if facts.refunded_minor <= charge.refunded_minor:
        return False
    refund = _begin_theirs(charge, facts.refunded_minor - charge.refunded_minor, asked_at=now)
    Refund.objects.filter(pk=refund.pk).update(status=Status.PENDING)
    charges.note_processor_charge(charge, facts.id)
    ledger.post(charge.invoice, [postings.refunded(refund.pk, amount_minor=refund.amount_minor)], at=now)
    journal.emit(_fact("refund.made", refund), at=now)
    return True


def give_as_credit(refund_id: str, *, actor: str, now: datetime) -> Credit:
    """
    Give what a refund that failed should have given back as credit instead.

    :raises RefundRefused: it has not failed, or that was done already.
    """
    refund = Refund.objects.get(pk=refund_id)
    with account_lock(refund.account_id):
        if not Refund.objects.filter(pk=refund_id, status=Status.FAILED).update(status=Status.AS_CREDIT):
            raise RefundRefused("Only a refund that has failed is given as credit, and once.")
        refund.refresh_from_db()
        credit = customer_credits.grant(
            refund.account_id,
            customer_credits.Grant(
                kind=Credit.Kind.GOODWILL,
                amount_minor=refund.amount_minor,
                currency=refund.currency,
                source=f"refund:{refund.pk}",
                paid_by=Book.REFUND_DUE,
            ),
            actor=actor,
            now=now,
        )
        journal.emit(_fact("refund.given_as_credit", refund), at=now)
        for task in SubsStuckEvent.objects.filter(
            source=SubsStuckEvent.Source.STRIPE, external_id=refund.stripe_refund_id, resolved_at__isnull=True
        ):
            settle_stuck(task, actor=actor, now=now)
    return credit


def _begin_theirs(charge: Charge, amount_minor: int, *, asked_at: datetime) -> Refund:
    charges.note_refunded(charge, by_minor=amount_minor)
    return Refund.objects.create(
        account_id=charge.account_id,
        charge=charge,
        status=Status.ASKED,
        amount_minor=amount_minor,
        currency=charge.currency,
        asked_at=asked_at,
    )


def _made(refund: Refund, charge: Charge, facts: RefundFacts, *, now: datetime) -> None:
    """Write and post that a refund is on its way."""
    Refund.objects.filter(pk=refund.pk).update(stripe_refund_id=facts.id, status=Status.PENDING)
    refund.refresh_from_db()
    charges.note_processor_charge(charge, facts.charge_id)
    ledger.post(charge.invoice, [postings.refunded(refund.pk, amount_minor=refund.amount_minor)], at=now)
    journal.emit(_fact("refund.made", refund), at=now)


def _move(refund: Refund, facts: RefundFacts, *, now: datetime) -> bool:
    """Write what has become of a refund; one that succeeded may still fail, nothing else moves back."""
    if facts.has_failed and refund.status in {Status.PENDING, Status.SUCCEEDED}:
        _failed(refund, facts, now=now)
        return True
    if facts.status not in UNDER_WAY and not facts.has_failed and refund.status == Status.PENDING:
        Refund.objects.filter(pk=refund.pk).update(status=Status.SUCCEEDED, ended_at=now)
        refund.refresh_from_db()
        journal.emit(_fact("refund.succeeded", refund), at=now)
        return True
    return False


def _failed(refund: Refund, facts: RefundFacts, *, now: datetime) -> None:
    code = facts.failure_reason or facts.status
    Refund.objects.filter(pk=refund.pk).update(status=Status.FAILED, failure_code=code, ended_at=now)
    refund.refresh_from_db()
    charges.note_refunded(refund.charge, by_minor=-refund.amount_minor)
    ledger.post(refund.charge.invoice, [postings.refund_failed(refund.pk, amount_minor=refund.amount_minor)], at=now)
    open_stuck(
        source=SubsStuckEvent.Source.STRIPE,
        external_id=facts.id,
        kind="refund.failed",
        reason=SubsStuckEvent.Reason.REFUND_FAILED,
        signature=code,
        customer_reference="",
        account_id=refund.account_id,
        now=now,
    )
    journal.emit(_fact("refund.failed", refund), at=now)


def _fact(kind: str, refund: Refund) -> journal.Fact:
    after = {
        "refund_id": refund.pk,
        "charge_id": refund.charge_id,
        "amount_minor": refund.amount_minor,
        "currency": refund.currency,
        "code": refund.failure_code,
    }
    return journal.Fact(kind, refund.account_id, "system:billing", cause=refund.stripe_refund_id, after=after)
