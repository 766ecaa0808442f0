"""Put the paper of an invoice together: its lines, what was paid and credited, who sells and who buys."""

from django.conf import settings

from accounts.models import SubsAccount

from ..invoicing.states import InvoiceStatus
from ..models.invoices import Invoice, PaymentAttempt
from .document import Document, DocumentKind, Entry, Line, Party


class NoSuchPaper(Exception):
    """The account has no such invoice, or it is a draft, or nothing was paid for which there could be a receipt."""


def document_of(account_id: str, invoice_id: str, kind: str = "") -> Document:
    """
    Return the paper of an invoice: the receipt of one that is paid, else the invoice, unless one of them is asked for.

    Four statements, whatever the number of lines.

    :raises NoSuchPaper: see there.
    """
    invoice = (
        Invoice.objects.filter(account=account_id, pk=invoice_id).exclude(status=InvoiceStatus.DRAFT.value).first()
    )
    if invoice is None or invoice.finalized_at is None:
        raise NoSuchPaper(invoice_id)
    is_paid = invoice.status == InvoiceStatus.PAID.value
    chosen = DocumentKind(kind) if kind else DocumentKind.RECEIPT if is_paid else DocumentKind.INVOICE
    if chosen is DocumentKind.CREDIT_NOTE or (chosen is DocumentKind.RECEIPT and not is_paid):
        raise NoSuchPaper(invoice_id)
    return Document(
        kind=chosen,
        number=invoice.number,
        status=invoice.status,
        issued_at=invoice.finalized_at,
        paid_at=invoice.paid_at,
        currency=invoice.currency,
        seller=seller(),
        buyer=buyer(account_id),
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
        entries=_payments(invoice),
    )


def seller() -> Party:
    """Return who sells, as the settings say."""
    return Party(settings.COMPANY_NAME, tuple(settings.COMPANY_ADDRESS), settings.COMPANY_TAX_ID)


def buyer(account_id: str) -> Party:
    """Return who is billed: the account's name and where its invoices go."""
    profile = SubsAccount.objects.select_related("account").get(pk=account_id)
    return Party(profile.account.name, (profile.email, f"Account {account_id}"))


def _payments(invoice: Invoice) -> list[Entry]:
    """What was paid, with what; a part that no attempt of ours knows is named as what it is."""
    if not invoice.paid_minor or invoice.paid_at is None:
        return []
    paid = invoice.attempts.filter(status=PaymentAttempt.Status.SUCCEEDED).select_related("method")
    entries = [
        Entry(
            invoice.paid_at,
            f"Paid with {attempt.method.brand.capitalize() or attempt.method.kind} …{attempt.method.last4}"
            if attempt.method
            else "Paid by card",
            min(attempt.amount_minor, invoice.paid_minor),
        )
        for attempt in paid
    ]
    rest_minor = invoice.paid_minor - sum(entry.amount_minor for entry in entries)
    return [*entries, *([Entry(invoice.paid_at, "Paid", rest_minor)] if rest_minor else [])]
