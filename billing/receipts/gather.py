"""Put a paper together: its lines, what was paid, credited and given back, who sells and who buys."""

from collections.abc import Sequence

from django.conf import settings

from accounts.models import SubsAccount

from ..invoicing.states import InvoiceStatus
from ..models.invoices import Invoice, PaymentAttempt
from ..models.methods import PaymentMethod
from ..models.reversals import CreditNote, Refund
from .document import Document, DocumentKind, Entry, Line, Party


class NoSuchPaper(Exception):
    """The account has no such invoice or credit note, it is not final yet, or it has no paper of the kind asked for."""


def document_of(account_id: str, paper_id: str, kind: str = "") -> Document:
    """
    Return the paper of an invoice or of a credit note, by its id.

    Of an invoice it is the receipt if it is paid, else the invoice, unless one of them is asked for. A fixed number of
    statements, whatever the number of lines.

    :raises NoSuchPaper: see there.
    """
    if kind in ("", DocumentKind.CREDIT_NOTE.value) and (note := _note(account_id, paper_id)) is not None:
        return _of_note(note)
    if kind == DocumentKind.CREDIT_NOTE.value:
        raise NoSuchPaper(paper_id)
    invoice = Invoice.objects.filter(account=account_id, pk=paper_id, finalized_at__isnull=False).first()
    if invoice is None:
        raise NoSuchPaper(paper_id)
    is_paid = invoice.status == InvoiceStatus.PAID.value
    chosen = DocumentKind(kind) if kind else DocumentKind.RECEIPT if is_paid else DocumentKind.INVOICE
    if chosen is DocumentKind.RECEIPT and not is_paid:
        raise NoSuchPaper(paper_id)
    return _of_invoice(invoice, chosen)


def _note(account_id: str, note_id: str) -> CreditNote | None:
    notes = CreditNote.objects.filter(account=account_id, pk=note_id, issued_at__isnull=False)
    return notes.select_related("invoice", "refund__charge__attempt__method").first()


def _of_invoice(invoice: Invoice, kind: DocumentKind) -> Document:
    assert invoice.finalized_at is not None
    notes = list(
        invoice.credit_notes.filter(status=CreditNote.Status.ISSUED)
        .select_related("refund__charge__attempt__method")
        .order_by("issued_at", "number", "pk")
    )
    return Document(
        kind=kind,
        number=invoice.number,
        status=invoice.status,
        issued_at=invoice.finalized_at,
        paid_at=invoice.paid_at,
        currency=invoice.currency,
        seller=seller(),
        buyer=buyer(invoice.account_id),
        lines=[
            Line(
                description=line.description,
                starts_at=line.period_start,
                ends_at=line.period_end,
                quantity=line.quantity,
                unit_amount_minor=line.unit_amount_minor,
                amount_minor=line.amount_minor,
            )
            for line in invoice.lines.order_by("pk")
        ],
        tax_minor=invoice.tax_minor,
        total_minor=invoice.total_minor,
        carried_minor=invoice.carried_minor,
        entries=[*_off_debt(notes), *_payments(invoice), *_past_stripe(invoice)],
        given_back=[*_given_back(notes), *_refunds_without_note(invoice)],
    )


def _of_note(note: CreditNote) -> Document:
    """
    The paper of a credit note, with what it takes off each line, and where that goes.

    One that somebody made at Stripe names no lines of ours: it has one, with what was written on it.
    """
    assert note.issued_at is not None
    lines = [
        Line(each.line.description, each.line.period_start, each.line.period_end, None, None, each.amount_minor)
        for each in note.lines.select_related("line").order_by("line_id")
    ]
    whole = [Line(note.memo or "Credit", None, None, None, None, note.subtotal_minor)]
    off_debt = [Entry(note.issued_at, "Off what was owed", note.off_debt_minor)] if note.off_debt_minor else []
    return Document(
        kind=DocumentKind.CREDIT_NOTE,
        number=note.number,
        status=InvoiceStatus.VOID.value if note.status == CreditNote.Status.VOID else "",
        issued_at=note.issued_at,
        paid_at=None,
        currency=note.currency,
        seller=seller(),
        buyer=buyer(note.account_id),
        lines=lines or whole,
        tax_minor=note.tax_minor,
        total_minor=note.total_minor,
        entries=[*off_debt, *_given_back([note], is_named=False)],
        about=note.invoice.number,
    )


def seller() -> Party:
    """Return who sells, as the settings say."""
    return Party(settings.COMPANY_NAME, tuple(settings.COMPANY_ADDRESS), settings.COMPANY_TAX_ID)


def buyer(account_id: str) -> Party:
    """Return who is billed, as of now: its company and tax id if it has told them, else its name; where papers go."""
    profile = SubsAccount.objects.select_related("account").get(pk=account_id)
    name = profile.company or profile.account.name
    lines = (profile.account.name if name != profile.account.name else "", profile.email, f"Account {account_id}")
    return Party(name, tuple(line for line in lines if line), profile.tax_id)


def _off_debt(notes: Sequence[CreditNote]) -> list[Entry]:
    """What credit notes took off what was owed."""
    return [
        Entry(note.issued_at, f"Credit note {note.number}", note.off_debt_minor)
        for note in notes
        if note.off_debt_minor and note.issued_at is not None
    ]


def _payments(invoice: Invoice) -> list[Entry]:
    """What was paid, with what; a part that no attempt of ours knows is named as what it is."""
    if not invoice.paid_minor or invoice.paid_at is None:
        return []
    paid = invoice.attempts.filter(status=PaymentAttempt.Status.SUCCEEDED).select_related("method")
    left_minor, entries = invoice.paid_minor, []
    for attempt in paid.order_by("finished_at", "pk"):
        amount_minor = min(attempt.amount_minor, left_minor)
        if amount_minor:
            with_what = f"Paid with {_in_words(attempt.method)}" if attempt.method else "Paid by card"
            entries.append(Entry(invoice.paid_at, with_what, amount_minor))
        left_minor -= amount_minor
    return [*entries, *([Entry(invoice.paid_at, "Paid", left_minor)] if left_minor else [])]


def _past_stripe(invoice: Invoice) -> list[Entry]:
    """What was paid by another way than the invoice's own, and what nobody has to pay any more."""
    at = invoice.paid_at or invoice.finalized_at
    amounts = (("Paid by another way", invoice.paid_elsewhere_minor), ("No longer owed", invoice.written_off_minor))
    return [Entry(at, what, amount_minor) for what, amount_minor in amounts if amount_minor and at is not None]


def _given_back(notes: Sequence[CreditNote], *, is_named: bool = True) -> list[Entry]:
    """What credit notes gave back of what was paid, and how; a refund that came back to us says so."""
    entries = []
    for note in notes:
        assert note.issued_at is not None
        named = f"Credit note {note.number}: " if is_named else ""
        if note.to_method_minor:
            how = _refund_in_words(getattr(note, "refund", None))
            entries.append(Entry(note.issued_at, _sentence(f"{named}{how}"), note.to_method_minor))
        if note.to_credit_minor:
            entries.append(Entry(note.issued_at, _sentence(f"{named}given as credit"), note.to_credit_minor))
    return entries


def _refunds_without_note(invoice: Invoice) -> list[Entry]:
    """What was refunded at the processor without a credit note, and has not come back."""
    refunds = Refund.objects.filter(
        charge__invoice=invoice, credit_note__isnull=True, status__in=[Refund.Status.PENDING, Refund.Status.SUCCEEDED]
    ).select_related("charge__attempt__method")
    return [
        Entry(refund.asked_at, _sentence(_refund_in_words(refund)), refund.amount_minor)
        for refund in refunds.order_by("asked_at", "pk")
    ]


def _refund_in_words(refund: Refund | None) -> str:
    """How a refund went; one of which nothing is known was made at the processor by somebody."""
    if refund is None:
        return "refunded"
    if refund.status == Refund.Status.AS_CREDIT:
        return "refund came back, given as credit"
    if refund.status == Refund.Status.FAILED:
        return "refund came back, still due to you"
    method = refund.charge.attempt.method
    return f"refunded to {_in_words(method)}" if method else "refunded"


def _in_words(method: PaymentMethod) -> str:
    return f"{method.brand.capitalize() or method.kind.replace('_', ' ')} …{method.last4}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
