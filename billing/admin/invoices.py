"""Invoices: what was asked for, how it was tried to collect, and what the ledger says."""

from collections.abc import Sequence

from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.models import Account
from billing.invoicing.states import InvoiceStatus
from billing.models.catalog import Price
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import Invoice, InvoiceLine, PaymentAttempt
from billing.models.ledger import LedgerEntry
from billing.models.objectproducts import Ope
from config.panel.cells import (
    NOTHING,
    Tone,
    amount,
    badge,
    code,
    day,
    link,
    moment,
    money,
    nowrap,
    number,
    period,
    with_note,
)
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Card, Facts, Page, Table

from .words import INVOICES

INVOICE_HEADERS = ("Number", "Status", "For", "Total", "Paid", "Of")

ATTEMPTS = {
    PaymentAttempt.Status.IN_FLIGHT: Tone.WAITING,
    PaymentAttempt.Status.SUCCEEDED: Tone.GOOD,
    PaymentAttempt.Status.FAILED: Tone.BAD,
    PaymentAttempt.Status.ACTION_REQUIRED: Tone.WAITING,
    PaymentAttempt.Status.UNKNOWN: Tone.WAITING,
}


def invoice_row(invoice: Invoice) -> Sequence[object]:
    """Return the cells of one invoice, under INVOICE_HEADERS."""
    return (
        link(Invoice, invoice.pk, nowrap(str(invoice))),
        with_note(status_badge(invoice), invoice.collection_failed),
        invoice.get_reason_display(),
        amount(invoice.total_minor, invoice.currency),
        amount(invoice.paid_minor, invoice.currency),
        day(invoice.created_at),
    )


def invoice_page(invoice: Invoice) -> Page:
    """Return the page of one invoice: lines, attempts and the ledger's entries, and where it belongs."""
    open_minor = invoice.total_minor - invoice.paid_minor
    is_owed = invoice.status in {InvoiceStatus.OPEN.value, InvoiceStatus.UNCOLLECTIBLE.value}
    lines = InvoiceLine.objects.filter(invoice=invoice).order_by("pk")[:500]
    attempts = PaymentAttempt.objects.filter(invoice=invoice).select_related("method").order_by("-started_at")[:50]
    entries = (
        LedgerEntry.objects.filter(transaction__invoice=invoice).select_related("transaction").order_by("pk")[:200]
    )
    return Page(
        title=f"Invoice {invoice}",
        subtitle=with_note(status_badge(invoice), invoice.get_reason_display()),
        cards=[
            Card(
                "Total",
                money(invoice.total_minor, invoice.currency),
                f"tax {money(invoice.tax_minor, invoice.currency)}",
            ),
            Card(
                "Paid",
                money(invoice.paid_minor, invoice.currency),
                moment(invoice.paid_at) if invoice.paid_at else "not paid",
            ),
            Card(
                "Still owed",
                money(open_minor if is_owed else 0, invoice.currency),
                invoice.collection_failed,
                Tone.BAD if is_owed and open_minor else Tone.GOOD,
            ),
        ],
        sections=[
            Table(
                "Lines",
                ("Line", "Price", "Quantity", "Unit amount", "Amount", "Period"),
                [_line_row(line, invoice.currency) for line in lines],
                "It has no lines.",
            ),
            Table(
                "Attempts to collect",
                ("Outcome", "Amount", "With", "Started", "Finished", "Payment intent"),
                [_attempt_row(attempt) for attempt in attempts],
                "Nobody tried to collect it.",
            ),
            Table(
                "Ledger",
                ("Transaction", "Book", "Debit", "Credit", "Posted"),
                [_ledger_row(entry) for entry in entries],
                "Nothing was posted for it.",
            ),
        ],
        aside=[
            Facts(
                "Where it belongs",
                [
                    ("Account", link(Account, invoice.account_id, invoice.account.name)),
                    (
                        "Change",
                        link(ChangeWorkflow, invoice.workflow_id, "the change that it pays for")
                        if invoice.workflow_id
                        else NOTHING,
                    ),
                    ("At Stripe", code(invoice.stripe_invoice_id)),
                    ("Invoice id", code(invoice.pk)),
                    ("Period", period(invoice.period_start, invoice.period_end)),
                ],
            ),
            Facts(
                "Times",
                [
                    ("Created", moment(invoice.created_at)),
                    ("Finalised", moment(invoice.finalized_at)),
                    ("Paid", moment(invoice.paid_at)),
                    ("Voided", moment(invoice.voided_at)),
                ],
            ),
        ],
    )


@admin.register(Invoice)
class InvoicePanel(ReadOnlyPanel):
    title = "Invoices"
    page_of = invoice_page
    list_display = ("number_or_draft", "status_shown", "reason", "total", "paid", "account_link", "created")
    list_select_related = ("account",)
    exact_fields = ("pk", "account_id", "number", "stripe_invoice_id")
    search_help_text = "Invoice number, in_… or account id"
    ordering = ("-created_at",)

    @admin.display(description="Number")
    def number_or_draft(self, invoice: Invoice) -> str:
        return str(invoice)

    @admin.display(description="Status")
    def status_shown(self, invoice: Invoice) -> SafeString:
        return status_badge(invoice)

    @admin.display(description="Total")
    def total(self, invoice: Invoice) -> SafeString:
        return amount(invoice.total_minor, invoice.currency)

    @admin.display(description="Paid")
    def paid(self, invoice: Invoice) -> SafeString:
        return amount(invoice.paid_minor, invoice.currency)

    @admin.display(description="Account")
    def account_link(self, invoice: Invoice) -> SafeString:
        return link(Account, invoice.account_id, invoice.account.name)

    @admin.display(description="Created")
    def created(self, invoice: Invoice) -> SafeString:
        return moment(invoice.created_at)


def status_badge(invoice: Invoice) -> SafeString:
    """Return the invoice's status as a badge."""
    return badge(invoice.status, INVOICES[InvoiceStatus(invoice.status)])


def _line_row(line: InvoiceLine, currency: str) -> Sequence[object]:
    return (
        link(Ope, line.ope_id, line.description) if line.ope_id else line.description,
        link(Price, line.price_id, line.price_id) if line.price_id else NOTHING,
        number(line.quantity),
        amount(line.unit_amount_minor, currency),
        amount(line.amount_minor, currency),
        period(line.period_start, line.period_end),
    )


def _attempt_row(attempt: PaymentAttempt) -> Sequence[object]:
    return (
        with_note(badge(attempt.get_status_display(), ATTEMPTS[PaymentAttempt.Status(attempt.status)]), attempt.code),
        amount(attempt.amount_minor, attempt.currency),
        with_note(
            attempt.method or NOTHING, "the customer was there" if attempt.on_session else "without the customer"
        ),
        moment(attempt.started_at),
        moment(attempt.finished_at),
        code(attempt.stripe_payment_intent_id),
    )


def _ledger_row(entry: LedgerEntry) -> Sequence[object]:
    shown = amount(abs(entry.amount_minor), entry.currency)
    return (
        with_note(entry.transaction.get_kind_display(), code(entry.transaction.source)),
        with_note(entry.get_book_display(), entry.book),
        shown if entry.amount_minor > 0 else "",
        shown if entry.amount_minor < 0 else "",
        moment(entry.transaction.posted_at),
    )
