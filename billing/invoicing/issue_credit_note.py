"""The only writer of credit notes: asked for as rows, issued at Stripe, or recorded as somebody made them there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db.models import F, Sum

from accounts import journal
from accounts.lock import holds_lock

from ..cfstripe.reversals import CreditNoteFacts, read_credit_note
from ..cfstripe.shapes import Raw
from ..models.invoices import Invoice, InvoiceLine
from ..models.reversals import CreditNote, CreditNoteLine
from . import credits as customer_credits
from . import ledger, postings
from .credit_notes import Destination, Division, LineToCredit
from .record import note_credited
from .states import FinalizeReason, InvoiceStatus

Status = CreditNote.Status
STANDING = (Status.ASKED, Status.ISSUED)


def lines_of(invoice: Invoice) -> list[LineToCredit]:
    """Return the invoice's lines, each with what earlier notes left of it. Two statements."""
    return lines_of_each([invoice])[invoice.pk]


def lines_of_each(invoices: Sequence[Invoice]) -> dict[str, list[LineToCredit]]:
    """Return that of each of these invoices, by id. Two statements, however many there are."""
    credited = dict(
        CreditNoteLine.objects.filter(credit_note__invoice__in=invoices, credit_note__status__in=STANDING)
        .values_list("line")
        .annotate(total=Sum("amount_minor"))
    )
    found: dict[str, list[LineToCredit]] = {invoice.pk: [] for invoice in invoices}
    for line in InvoiceLine.objects.filter(invoice__in=invoices).order_by("pk"):
        found[line.invoice_id].append(
            LineToCredit(
                id=line.pk,
                amount_minor=line.amount_minor,
                left_minor=line.amount_minor - credited.get(line.pk, 0),
                in_advance=line.in_advance,
                period_start=line.period_start.astimezone(UTC).date(),
                period_end=line.period_end.astimezone(UTC).date(),
            )
        )
    return found


def ask(
    invoice: Invoice,
    division: Division,
    to: Destination,
    *,
    why: str,
    is_ours: bool = False,
    memo: str = "",
    actor: str,
    now: datetime,
) -> CreditNote:
    """Write the note that is to be issued, with its lines; three statements with its journal entry."""
    wanted = Wanted(invoice, division, to, why=why, is_ours=is_ours, memo=memo)
    (note,), facts = ask_each([wanted], actor=actor, now=now)
    journal.emit(*facts, at=now)
    return note


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A note that is to be issued."""

    invoice: Invoice = field(kw_only=False)
    division: Division = field(kw_only=False)
    to: Destination = field(kw_only=False)
    why: str
    is_ours: bool = False
    memo: str = ""


def ask_each(wanted: Sequence[Wanted], *, actor: str, now: datetime) -> tuple[list[CreditNote], list[journal.Fact]]:
    """Write these notes with their lines; the caller journals the facts. Two statements, however many there are."""
    assert all(holds_lock(each.invoice.account_id) for each in wanted)
    notes = CreditNote.objects.bulk_create(
        CreditNote(
            account_id=each.invoice.account_id,
            invoice=each.invoice,
            is_ours=each.is_ours,
            status=Status.ASKED,
            why=each.why,
            currency=each.invoice.currency,
            subtotal_minor=each.division.subtotal_minor,
            tax_minor=each.division.tax_minor,
            total_minor=each.division.total_minor,
            off_debt_minor=each.to.off_debt_minor,
            to_method_minor=each.to.to_method_minor,
            to_credit_minor=each.to.to_credit_minor,
            memo=each.memo[:250],
            actor=actor,
            asked_at=now,
        )
        for each in wanted
    )
    CreditNoteLine.objects.bulk_create(
        CreditNoteLine(credit_note=note, line_id=line_id, amount_minor=amount_minor)
        for note, each in zip(notes, wanted, strict=True)
        for line_id, amount_minor in each.division.lines
    )
    return notes, [_fact("credit_note.asked", note) for note in notes]


def fit(note: CreditNote, invoice: Invoice) -> None:
    """
    Make a note that is asked for fit what became of its invoice meanwhile; the caller journals.

    No more comes off the debt than is left of it: the rest becomes credit, and so does all of it when the invoice is
    paid by now. On one that is given up at Stripe no note is possible there: it is ours alone.
    """
    assert holds_lock(note.account_id)
    off_debt_minor = min(note.off_debt_minor, invoice.remaining_minor)
    changed: dict[str, object] = {}
    if off_debt_minor < note.off_debt_minor:
        changed["off_debt_minor"] = off_debt_minor
        changed["to_credit_minor"] = note.to_credit_minor + note.off_debt_minor - off_debt_minor
    if invoice.status == InvoiceStatus.UNCOLLECTIBLE.value and not note.is_ours:
        changed["is_ours"] = True
    if changed and CreditNote.objects.filter(pk=note.pk, status=Status.ASKED).update(**changed):
        note.refresh_from_db()


def record_issued(note: CreditNote, facts: CreditNoteFacts | None, *, now: datetime) -> None:
    """
    Write and post that a note was issued, at Stripe (`facts`) or by us alone, and what of it the customer gets.

    What goes to credit first goes back to the credits that the invoice used, then becomes goodwill. Safe to repeat.
    """
    assert holds_lock(note.account_id)
    issued = CreditNote.objects.filter(pk=note.pk, status=Status.ASKED).update(
        status=Status.ISSUED,
        issued_at=now,
        stripe_credit_note_id=facts.id if facts else "",
        number=facts.number if facts else f"CN-{note.pk[:8].upper()}",
    )
    if not issued:
        return
    note.refresh_from_db()
    _post_issued(note, at=now)
    journal.emit(_fact("credit_note.issued", note), at=now)


def refuse(note: CreditNote, *, code: str, now: datetime) -> None:
    """Write that Stripe would not issue a note: nothing of it holds."""
    assert holds_lock(note.account_id)
    if CreditNote.objects.filter(pk=note.pk, status=Status.ASKED).update(status=Status.REFUSED, refusal_code=code):
        note.refresh_from_db()
        journal.emit(_fact("credit_note.refused", note), at=now)


def follow(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Record a credit note that Stripe tells of: one of ours whose answer was lost, one that somebody made there, or
    one that was taken back. Returns whether anything changed. In the caller's transaction under the account's lock.
    """
    assert holds_lock(account_id)
    facts = read_credit_note(raw)
    note = CreditNote.objects.filter(account=account_id, stripe_credit_note_id=facts.id).first()
    if note is None and facts.our_id:
        note = CreditNote.objects.filter(account=account_id, pk=facts.our_id, status=Status.ASKED).first()
        if note is not None:
            record_issued(note, facts, now=now)
            return True
    if note is None:
        return _record_theirs(facts, account_id=account_id, now=now)
    if facts.status == "void" and note.status == Status.ISSUED:
        _void(note, now=now)
        return True
    return False


def give_surplus(invoice: Invoice, amount_minor: int, *, now: datetime) -> None:
    """
    Let what notes took off a debt that was paid all the same be the customer's credit; the newest note first.

    In the transaction in which the invoice says so. The caller has posted that it is due to the customer.
    """
    assert holds_lock(invoice.account_id)
    left_minor = amount_minor
    for note in invoice.credit_notes.filter(status=Status.ISSUED, off_debt_minor__gt=0).order_by("-issued_at", "-pk"):
        part_minor = min(left_minor, note.off_debt_minor)
        if not part_minor:
            break
        left_minor -= part_minor
        CreditNote.objects.filter(pk=note.pk).update(
            off_debt_minor=F("off_debt_minor") - part_minor, to_credit_minor=F("to_credit_minor") + part_minor
        )
        source = f"overpaid:{note.pk}"
        customer_credits.give_back(invoice, part_minor, source=source, actor=note.actor, now=now)
        journal.emit(_fact("credit_note.overpaid", note), at=now)
    assert not left_minor, "what was credited stands on notes"


def _record_theirs(facts: CreditNoteFacts, *, account_id: str, now: datetime) -> bool:
    invoice = Invoice.objects.filter(account=account_id, stripe_invoice_id=facts.invoice_id).first()
    if invoice is None or facts.status == "void":
        return False
    note = CreditNote.objects.create(
        account_id=account_id,
        invoice=invoice,
        status=Status.ISSUED,
        stripe_credit_note_id=facts.id,
        number=facts.number,
        why="stripe",
        currency=facts.currency,
        subtotal_minor=facts.subtotal_minor,
        tax_minor=facts.tax_minor,
        total_minor=facts.total_minor,
        off_debt_minor=facts.off_debt_minor,
        to_method_minor=facts.total_minor - facts.off_debt_minor,
        memo=facts.memo[:250],
        actor="system:pipe",
        asked_at=facts.created_at,
        issued_at=facts.created_at,
    )
    _post_issued(note, at=now)
    journal.emit(_fact("credit_note.issued", note), at=now)
    return True


def _post_issued(note: CreditNote, *, at: datetime) -> None:
    ledger.post(note.invoice, [_posting(note)], at=at)
    if note.off_debt_minor:
        note_credited(note.invoice, by_minor=note.off_debt_minor)
    if note.to_credit_minor:
        source = f"credit_note:{note.pk}"
        customer_credits.give_back(note.invoice, note.to_credit_minor, source=source, actor=note.actor, now=at)


def _void(note: CreditNote, *, now: datetime) -> None:
    CreditNote.objects.filter(pk=note.pk).update(status=Status.VOID)
    ledger.post(note.invoice, [postings.credit_note_voided(note.pk, _posting(note))], at=now)
    if note.off_debt_minor:
        note_credited(note.invoice, by_minor=-note.off_debt_minor)
    journal.emit(_fact("credit_note.voided", note), at=now)


def _posting(note: CreditNote) -> postings.Posting:
    return postings.credit_note(
        note.pk,
        subtotal_minor=note.subtotal_minor,
        tax_minor=note.tax_minor,
        off_debt_minor=note.off_debt_minor,
        is_of_dispute=note.invoice.reason == FinalizeReason.DISPUTE.value,
    )


def _fact(kind: str, note: CreditNote) -> journal.Fact:
    after = {
        "credit_note_id": note.pk,
        "invoice_id": note.invoice_id,
        "total_minor": note.total_minor,
        "currency": note.currency,
        "why": note.why,
        "code": note.refusal_code,
    }
    return journal.Fact(kind, note.account_id, note.actor, cause=note.invoice_id, after=after)
