"""What can be done about an invoice beside collecting it: credited, refunded, given up, written off, voided."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from accounts import journal
from accounts.lock import account_lock

from ..models.invoices import Invoice
from ..models.reversals import Charge, CreditNote, InvoiceAct
from . import acts, issue_credit_note, refunds
from .acts import InvoiceActRefused
from .carry_out import carry_out_now
from .credit_notes import Destination, Division, spread, unused
from .refunds import RefundRefused
from .states import ActKind, InvoiceStatus

HONEST = "honest_debt"
HONEST_DEBT = "Time that will not be used is not owed"


def mark_uncollectible(
    invoice_id: str, *, decided_on: date | None = None, actor: str, reason: str = "", now: datetime
) -> InvoiceAct:
    """
    Give an open invoice up; what was billed in advance and will not be used is credited first, on the same invoice.

    What remains is the debt. `decided_on` is the first day that counts as unused, today unless it is named. Not in a
    transaction; what Stripe does not answer to now goes on by itself.

    :raises InvoiceActRefused: the invoice is not open, or something else is under way.
    """
    invoice = Invoice.objects.get(pk=invoice_id)
    with account_lock(invoice.account_id):
        invoice.refresh_from_db()
        if because := acts.why_not(invoice, ActKind.UNCOLLECTIBLE):
            raise InvoiceActRefused(f"This can't be done: {because}.")
        wanted = honest_notes([invoice], decided_on=decided_on or now.astimezone(UTC).date())
        notes, facts = issue_credit_note.ask_each(wanted, actor=actor, now=now)
        if facts:
            journal.emit(*facts, at=now)
        note = notes[0] if notes else None
        act = acts.ask(invoice, ActKind.UNCOLLECTIBLE, note=note, actor=actor, reason=reason, now=now)
    return carry_out_now(act, now=now)


def honest_credit(invoice: Invoice, *, decided_on: date) -> Division:
    """Return what of an invoice would not be owed if it were given up on this day."""
    period = invoice.period_start.astimezone(UTC).date(), invoice.period_end.astimezone(UTC).date()
    return unused(issue_credit_note.lines_of(invoice), *period, decided_on, tax_minor=invoice.tax_minor)


def honest_notes(invoices: Sequence[Invoice], *, decided_on: date) -> list[issue_credit_note.Wanted]:
    """
    Return the credit notes that invoices get which are given up on this day; none for one that has it already.

    On one that Stripe holds for uncollectible the note is ours alone: Stripe takes none there. Three statements.
    """
    standing = CreditNote.objects.filter(invoice__in=invoices, why=HONEST, status__in=issue_credit_note.STANDING)
    credited = set(standing.values_list("invoice_id", flat=True))
    lines = issue_credit_note.lines_of_each(invoices)
    wanted = []
    for invoice in invoices:
        period = invoice.period_start.astimezone(UTC).date(), invoice.period_end.astimezone(UTC).date()
        division = unused(lines[invoice.pk], *period, decided_on, tax_minor=invoice.tax_minor)
        if invoice.pk in credited or not division.total_minor:
            continue
        off_debt_minor = min(division.total_minor, invoice.remaining_minor)
        to = Destination(off_debt_minor, to_credit_minor=division.total_minor - off_debt_minor)
        is_ours = invoice.status == InvoiceStatus.UNCOLLECTIBLE.value or not invoice.stripe_invoice_id
        wanted.append(issue_credit_note.Wanted(invoice, division, to, why=HONEST, is_ours=is_ours, memo=HONEST_DEBT))
    return wanted


def true_debt_minor(invoice: Invoice, *, decided_on: date) -> int:
    """Return what an invoice really asks for: what remains, less what would be credited if it were given up now."""
    if invoice.status == InvoiceStatus.UNCOLLECTIBLE.value:
        return invoice.remaining_minor  # that credit is on it already
    return max(0, invoice.remaining_minor - honest_credit(invoice, decided_on=decided_on).total_minor)


def credit_invoice(
    invoice_id: str,
    *,
    amount_minor: int,
    memo: str = "",
    key: str = "",
    actor: str,
    reason: str = "",
    now: datetime,
) -> InvoiceAct:
    """
    Take an amount, tax included, off an invoice that is not paid: less is owed. `key` as in `refund`.

    :raises InvoiceActRefused: it is paid or void, less than that is owed, or something else is under way.
    """
    invoice = Invoice.objects.get(pk=invoice_id)
    with account_lock(invoice.account_id):
        if key and (known := invoice.acts.filter(pk=key).first()):
            return known
        invoice.refresh_from_db()
        if because := acts.why_not(invoice, ActKind.CREDIT_NOTE):
            raise InvoiceActRefused(f"This can't be done: {because}.")
        if not 0 < amount_minor <= invoice.remaining_minor:
            raise InvoiceActRefused("The amount must be more than nothing and no more than what is owed.")
        note = issue_credit_note.ask(
            invoice,
            _spread(invoice, amount_minor),
            Destination(amount_minor),
            why="correction",
            is_ours=invoice.status == InvoiceStatus.UNCOLLECTIBLE.value,
            memo=memo,
            actor=actor,
            now=now,
        )
        act = acts.ask(invoice, ActKind.CREDIT_NOTE, note=note, key=key, actor=actor, reason=reason, now=now)
    return carry_out_now(act, now=now)


def refund(
    charge_id: str,
    *,
    amount_minor: int,
    to_credit: bool = False,
    key: str = "",
    actor: str,
    reason: str = "",
    now: datetime,
) -> InvoiceAct:
    """
    Give a part of a payment back, to how it was paid or as credit, with a credit note of its invoice.

    `key` is the caller's, 32 hex digits, and becomes the act's id: asked for under it again, it is that act.

    :raises RefundRefused: more than is left of the payment, or it is disputed.
    :raises InvoiceActRefused: something else is under way.
    """
    charge = Charge.objects.select_related("invoice").get(pk=charge_id)
    with account_lock(charge.account_id):
        if key and (known := charge.invoice.acts.filter(pk=key).first()):
            return known
        charge = Charge.objects.select_related("invoice").get(pk=charge_id)
        if because := why_not_refund(charge, amount_minor):
            raise RefundRefused(f"This can't be refunded: {because}.")
        note = issue_credit_note.ask(
            charge.invoice,
            _spread(charge.invoice, amount_minor),
            Destination(to_credit_minor=amount_minor) if to_credit else Destination(to_method_minor=amount_minor),
            why="refund",
            actor=actor,
            now=now,
        )
        if not to_credit:
            refunds.begin(note, charge, now=now)
        act = acts.ask(charge.invoice, ActKind.CREDIT_NOTE, note=note, key=key, actor=actor, reason=reason, now=now)
    return carry_out_now(act, now=now)


def why_not_refund(charge: Charge, amount_minor: int) -> str:
    """Return why so much of a charge can't be given back; empty if it can."""
    left_minor = refundable_minor(charge)
    if charge.disputes.exclude(status__in=["won", "warning_closed"]).exists():
        return "the payment is disputed, or was lost in a dispute"
    if not 0 < amount_minor <= left_minor:
        return f"of this payment {left_minor} minor units are left"
    return ""


def refundable_minor(charge: Charge) -> int:
    """Return what of a payment is left to give back: not refunded, nor given as credit instead."""
    notes = charge.invoice.credit_notes.filter(status__in=issue_credit_note.STANDING, off_debt_minor=0)
    noted_minor = sum(notes.values_list("total_minor", flat=True))
    return min(charge.amount_minor - charge.refunded_minor, charge.invoice.paid_minor - noted_minor)


def write_off(invoice_id: str, *, actor: str, reason: str = "", now: datetime) -> InvoiceAct:
    """
    Give up what is left of a debt: nobody has to pay it any more, and the loss stands in the books.

    :raises InvoiceActRefused: nothing is owed on it, or something else is under way.
    """
    return _act(invoice_id, ActKind.WRITE_OFF, actor=actor, reason=reason, now=now)


def void(invoice_id: str, *, actor: str, reason: str = "", now: datetime) -> InvoiceAct:
    """
    Declare an invoice void, as if it had never been: for one that should not have been made.

    :raises InvoiceActRefused: it is paid or void, or something else is under way.
    """
    return _act(invoice_id, ActKind.VOID, actor=actor, reason=reason, now=now)


def _act(invoice_id: str, kind: ActKind, *, actor: str, reason: str, now: datetime) -> InvoiceAct:
    invoice = Invoice.objects.get(pk=invoice_id)
    with account_lock(invoice.account_id):
        invoice.refresh_from_db()
        act = acts.ask(invoice, kind, actor=actor, reason=reason, now=now)
    return carry_out_now(act, now=now)


def _spread(invoice: Invoice, amount_minor: int) -> Division:
    try:
        return spread(amount_minor, issue_credit_note.lines_of(invoice), tax_minor=invoice.tax_minor)
    except ValueError as error:
        raise InvoiceActRefused("The invoice's lines have less left than that.") from error
