"""The only writer of invoices and their lines: what Stripe shows, next to what we planned."""

from collections.abc import Sequence
from datetime import datetime

from accounts import journal
from accounts.lock import holds_lock

from ..cfstripe.shapes import InvoiceFacts, LineFacts, Raw, read_invoice
from ..changes_calculator.change_set import PlannedLine
from ..models.invoices import Invoice, InvoiceLine
from . import ledger
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
    invoice = Invoice.objects.create(
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


def refresh(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Bring the row of an invoice that we know up to date; return whether anything changed.

    A move that the state table does not know (an older payload, say) changes nothing. The invoice of a change that
    is not committed yet is not known: it is written with the commit.
    """
    assert holds_lock(account_id)
    facts = read_invoice(raw)
    invoice = Invoice.objects.filter(account=account_id, stripe_invoice_id=facts.id).first()
    if invoice is None or not may_move(InvoiceStatus(invoice.status), InvoiceStatus(facts.status)):
        return False
    state = _state(facts)
    if facts.is_paid:
        state["collection_failed"] = ""
    before = {name: value for name in state if (value := getattr(invoice, name)) != state[name]}
    if not before:
        return False
    for name in before:
        setattr(invoice, name, state[name])
    invoice.save(update_fields=list(before))
    _post(invoice, at=now)
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
    return True


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
        "finalized_at": facts.finalized_at,
        "paid_at": facts.paid_at,
        "voided_at": facts.voided_at,
    }


def _post(invoice: Invoice, *, at: datetime) -> None:
    """Post what the invoice's state means; what was posted before stays as it is."""
    if invoice.finalized_at is None:
        return
    postings = [ledger.finalized(invoice)]
    if invoice.status == InvoiceStatus.PAID.value:
        postings.append(ledger.paid(invoice))
    if invoice.status == InvoiceStatus.VOID.value:
        postings.append(ledger.voided(invoice))
    ledger.post(invoice, postings, at=at)


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
            lines += [_planned(theirs[-1], line) for line in ours]
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
        ope_id=planned.ope_id if planned else None,
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
