"""The only writer of invoices and their lines: what Stripe shows, next to what we planned."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from accounts import journal
from accounts.lock import holds_lock

from ..cfstripe.shapes import InvoiceFacts, LineFacts, Raw, read_invoice
from ..changes_calculator.change_set import PlannedLine
from ..models.invoices import Invoice, InvoiceLine
from . import ledger, postings
from .books import Book
from .postings import Surplus
from .states import FinalizeReason, InvoiceStatus, may_move


def record_new(
    facts: InvoiceFacts,
    planned: Sequence[PlannedLine],
    *,
    account_id: str,
    schedule_id: str | None,
    workflow_id: str | None,
    reason: FinalizeReason,
) -> Invoice:
    """
    Write an invoice that Stripe made, with its lines, and post it to the ledger. Three statements.

    Lines say which OPE they are for where the plan knows it; amounts are always Stripe's.
    """
    assert holds_lock(account_id)
    lines = _lines(facts.lines, planned)
    invoice = Invoice(
        account_id=account_id,
        schedule_id=schedule_id,
        workflow_id=workflow_id,
        reason=reason.value,
        currency=facts.currency,
        created_at=facts.created_at,
        stripe_invoice_id=facts.id,
        period_start=min((line.period_start for line in lines), default=facts.created_at),
        period_end=max((line.period_end for line in lines), default=facts.created_at),
        **_state(facts),
    )
    for name, value in _paid_outside(invoice, facts).items():
        setattr(invoice, name, value)
    invoice.save(force_insert=True)
    for line in lines:
        line.invoice = invoice
    InvoiceLine.objects.bulk_create(lines)
    _post(invoice, at=facts.paid_at or facts.finalized_at or facts.created_at)
    return invoice


def record_lines_again(invoice: Invoice, facts: InvoiceFacts, planned: Sequence[PlannedLine]) -> None:
    """Write a draft's lines and totals anew, because they changed; two statements and one. The caller journals."""
    assert holds_lock(invoice.account_id)
    assert invoice.status == InvoiceStatus.DRAFT.value, "what is finalised keeps its lines"
    lines = _lines(facts.lines, planned)
    for line in lines:
        line.invoice = invoice
    invoice.lines.all().delete()
    InvoiceLine.objects.bulk_create(lines)
    for name, value in _state(facts).items():
        setattr(invoice, name, value)
    invoice.save(update_fields=list(_state(facts)))


@dataclass(frozen=True, slots=True)
class Refreshed:
    """An invoice that has changed, and what of its payment was more than was owed of it."""

    invoice: Invoice
    surplus: Surplus


def refresh(raw: Raw, *, account_id: str, now: datetime) -> Refreshed | None:
    """
    Bring the row of an invoice that we know up to date, and return it; None if nothing changed.

    A move that the state table does not know (an older payload, say) changes nothing. The invoice of a change that
    is not committed yet is not known: it is written with the commit. What was paid is recorded in any case: what had
    been credited or given up before, and was paid all the same, stands there no longer.
    """
    assert holds_lock(account_id)
    facts = read_invoice(raw)
    invoice = Invoice.objects.filter(account=account_id, stripe_invoice_id=facts.id).first()
    if invoice is None or not may_move(InvoiceStatus(invoice.status), InvoiceStatus(facts.status)):
        return None
    state = _state(facts) | _paid_outside(invoice, facts)
    surplus = _surplus(invoice, facts)
    if facts.is_paid:
        state |= {
            "collection_failed": "",
            "written_off_minor": invoice.written_off_minor - surplus.written_off_minor,
            "credited_minor": invoice.credited_minor - surplus.credited_minor,
        }
    before = {name: value for name in state if (value := getattr(invoice, name)) != state[name]}
    if not before:
        return None
    for name in before:
        setattr(invoice, name, state[name])
    invoice.save(update_fields=list(before))
    _post(invoice, at=now)
    if surplus:
        ledger.post(invoice, [postings.overpaid(invoice.pk, surplus)], at=now)
    journal.emit(
        journal.Fact(
            "invoice.updated",
            account_id,
            "system:pipe",
            cause=facts.id,
            before={"invoice_id": invoice.pk, **before},
            after={"invoice_id": invoice.pk, **{name: state[name] for name in before}},
        ),
        at=now,
    )
    return Refreshed(invoice, surplus)


def note_credited(invoice: Invoice, *, by_minor: int) -> None:
    """Write that credit notes take so much more (or less, negative) off the debt. The caller journals."""
    assert holds_lock(invoice.account_id)
    Invoice.objects.filter(pk=invoice.pk).update(credited_minor=F("credited_minor") + by_minor)
    invoice.refresh_from_db(fields=["credited_minor"])


def note_paid_elsewhere(invoice: Invoice, *, reference: str, book: Book, amount_minor: int, at: datetime) -> None:
    """
    Write and post that so much of an invoice was paid past Stripe's own collection; `reference` names the payment.

    Two statements. The caller journals it, once for each payment.
    """
    assert holds_lock(invoice.account_id)
    Invoice.objects.filter(pk=invoice.pk).update(paid_elsewhere_minor=F("paid_elsewhere_minor") + amount_minor)
    invoice.refresh_from_db(fields=["paid_elsewhere_minor"])
    ledger.post(invoice, [postings.paid_elsewhere(reference, book=book, amount_minor=amount_minor)], at=at)


def note_written_off(invoice: Invoice, *, at: datetime) -> None:
    """Write and post that nobody has to pay what is left of an invoice. Two statements; the caller journals."""
    assert holds_lock(invoice.account_id)
    amount_minor = invoice.remaining_minor
    invoice.written_off_minor += amount_minor
    invoice.save(update_fields=["written_off_minor"])
    ledger.post(invoice, [postings.written_off(invoice.pk, amount_minor=amount_minor)], at=at)


def add_credit_line(invoice: Invoice, amount_minor: int, *, stripe_line_id: str, description: str) -> None:
    """Write the line by which credit came onto a draft after it was recorded; the caller journals the credit."""
    assert holds_lock(invoice.account_id)
    InvoiceLine.objects.create(
        invoice=invoice,
        stripe_line_id=stripe_line_id,
        description=description,
        quantity=1,
        unit_amount_minor=-amount_minor,
        amount_minor=-amount_minor,
        in_advance=True,
        period_start=invoice.period_start,
        period_end=invoice.period_end,
    )


def note_failure(
    invoice: Invoice, *, finalization_failed: str = "", collection_failed: str = "", now: datetime
) -> None:
    """Write why an invoice can't be finalised or collected; nothing stands still without a reason."""
    assert holds_lock(invoice.account_id)
    failure = {"finalization_failed": finalization_failed, "collection_failed": collection_failed}
    Invoice.objects.filter(pk=invoice.pk).update(**failure)
    after = {"invoice_id": invoice.pk, **failure}
    journal.emit(journal.Fact("invoice.updated", invoice.account_id, "system:billing", after=after), at=now)


def _state(facts: InvoiceFacts) -> dict[str, object]:
    """The columns that Stripe may change after the invoice was made."""
    return {
        "number": facts.number,
        "status": facts.status,
        "subtotal_minor": facts.subtotal_minor,
        "tax_minor": facts.tax_minor,
        "total_minor": facts.total_minor,
        "paid_minor": facts.paid_minor,
        "carried_minor": facts.carried_minor,
        "finalized_at": facts.finalized_at,
        "paid_at": facts.paid_at,
        "voided_at": facts.voided_at,
    }


def _paid_outside(invoice: Invoice, facts: InvoiceFacts) -> dict[str, object]:
    """
    What of an invoice that Stripe calls paid came neither through it nor by a way that we know of.

    Somebody marked it paid there by hand. A credit note whose news is still on its way explains its part.
    """
    if not facts.is_paid:
        return {}
    credited_minor = max(invoice.credited_minor, facts.credited_minor)
    known = facts.paid_minor + credited_minor + invoice.written_off_minor + invoice.paid_elsewhere_minor
    return {
        "paid_elsewhere_minor": invoice.paid_elsewhere_minor + max(0, facts.total_minor + facts.carried_minor - known)
    }


def _surplus(invoice: Invoice, facts: InvoiceFacts) -> Surplus:
    """What of a payment was given up, or credited by us, before it came; what was given up counts first."""
    if not facts.is_paid:
        return Surplus()
    settled_minor = facts.paid_minor + invoice.paid_elsewhere_minor + invoice.credited_minor + invoice.written_off_minor
    too_much_minor = max(0, settled_minor - facts.total_minor - facts.carried_minor)
    written_off_minor = min(too_much_minor, invoice.written_off_minor)
    return Surplus(written_off_minor, min(too_much_minor - written_off_minor, invoice.credited_minor))


def _post(invoice: Invoice, *, at: datetime) -> None:
    """Post what the invoice's state means; what was posted before stays as it is."""
    if invoice.finalized_at is None:
        return
    facts = [_finalized(invoice)]
    if invoice.status == InvoiceStatus.PAID.value:
        facts.append(postings.paid(invoice.pk, paid_minor=invoice.paid_minor))
        facts += _outside(invoice)
    ledger.post(invoice, facts, at=at)
    if invoice.status == InvoiceStatus.VOID.value:
        ledger.post(invoice, [postings.voided(invoice.pk, standing=ledger.standing(invoice))], at=at)


def _finalized(invoice: Invoice) -> postings.Posting:
    if invoice.reason == FinalizeReason.DISPUTE.value:
        return postings.rebilled(invoice.pk, total_minor=invoice.total_minor, carried_minor=invoice.carried_minor)
    return postings.finalized(
        invoice.pk,
        subtotal_minor=invoice.subtotal_minor,
        tax_minor=invoice.tax_minor,
        carried_minor=invoice.carried_minor,
    )


def _outside(invoice: Invoice) -> list[postings.Posting]:
    """What was paid past Stripe and is in no book yet."""
    posted_minor = ledger.paid_elsewhere_minor(invoice) if invoice.paid_elsewhere_minor else 0
    unposted_minor = invoice.paid_elsewhere_minor - posted_minor
    if not unposted_minor:
        return []
    return [postings.paid_elsewhere(invoice.pk, book=Book.CASH_OUTSIDE, amount_minor=unposted_minor)]


def _lines(facts: Sequence[LineFacts], planned: Sequence[PlannedLine]) -> list[InvoiceLine]:
    """
    Stripe's lines, told apart by OPE: price by price, where what we planned for a price adds up to what Stripe bills.

    Stripe writes a change of quantity as a credit and a charge; ours say what each OPE costs by it. What has no price
    of ours, like a credit of another clock, is told apart if it adds up as a whole.
    """
    lines = []
    other_facts, other_lines = list(facts), list(planned)
    for price_id in dict.fromkeys(fact.price_id for fact in facts):
        theirs = [fact for fact in facts if fact.price_id == price_id]
        ours = [line for line in planned if line.stripe_price_id == price_id]
        if _is_same(theirs, ours):
            newest = max(reversed(theirs), key=lambda fact: (fact.period_end, fact.period_start))
            lines += [_planned(newest, line) for line in ours]
            other_facts = [fact for fact in other_facts if fact.price_id != price_id]
            other_lines = [line for line in other_lines if line.stripe_price_id != price_id]
    if _is_same(other_facts, other_lines):
        return lines + [_planned(other_facts[0], line) for line in other_lines]
    return lines + [_line(fact, fact.description, "", fact.quantity, fact.amount_minor, None) for fact in other_facts]


def _is_same(theirs: Sequence[LineFacts], ours: Sequence[PlannedLine]) -> bool:
    return bool(ours and theirs) and sum(x.amount_minor for x in ours) == sum(x.amount_minor for x in theirs)


def _planned(fact: LineFacts, line: PlannedLine) -> InvoiceLine:
    return _line(fact, line.description, line.price_id, line.quantity, line.amount_minor, line)


def _line(
    fact: LineFacts, description: str, price_id: str, quantity: int, amount_minor: int, planned: PlannedLine | None
) -> InvoiceLine:
    return InvoiceLine(
        ope_id=(planned.ope_id or None) if planned else None,
        stripe_line_id=fact.id,
        description=description[:250],
        price_id=price_id,
        quantity=quantity,
        unit_amount_minor=planned.unit_amount_minor if planned else amount_minor,
        amount_minor=amount_minor,
        in_advance=True,
        period_start=fact.period_start,
        period_end=fact.period_end,
    )
