"""Invoices: what was asked for, how it was tried to collect, what went back, and what the ledger says."""

from collections.abc import Sequence
from datetime import UTC

from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.models import Account
from billing.invoicing.resolve import true_debt_minor
from billing.invoicing.states import InvoiceStatus
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import Invoice, InvoiceLine, PaymentAttempt
from billing.models.ledger import LedgerEntry
from billing.models.reversals import CreditNote, Refund
from config import clock
from config.panel.cells import (
    NOTHING,
    Tone,
    amount,
    badge,
    code,
    day,
    lines,
    link,
    moment,
    money,
    nowrap,
    period,
    with_note,
)
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Card, Facts, Page, Table

from .invoice_acts import INVOICE_ACTS
from .invoice_rows import attempt_row, ledger_row, line_row, note_row, refund_row
from .papers import paper_link
from .words import INVOICES

INVOICE_HEADERS = ("Number", "Status", "For", "Total", "Paid", "Of")


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


def _papers(invoice: Invoice) -> object:
    if invoice.finalized_at is None:
        return NOTHING
    kinds = ("invoice", "receipt") if invoice.status == InvoiceStatus.PAID.value else ("invoice",)
    return lines(*(paper_link(invoice.account_id, invoice.pk, kind, f"{kind} (PDF)") for kind in kinds))


def _carried(invoice: Invoice) -> str:
    """Say which cents came here from an invoice too small to charge, or went on from this one; empty for none."""
    if not invoice.carried_minor:
        return ""
    way = "carried here" if invoice.carried_minor > 0 else "carried on"
    return f", {money(abs(invoice.carried_minor), invoice.currency)} {way}"


def invoice_page(invoice: Invoice) -> Page:
    """Return the page of one invoice: lines, attempts and the ledger's entries, and where it belongs."""
    is_owed = invoice.status in {InvoiceStatus.OPEN.value, InvoiceStatus.UNCOLLECTIBLE.value}
    owed_minor = invoice.remaining_minor if is_owed else 0
    debt_minor = true_debt_minor(invoice, decided_on=clock.now().astimezone(UTC).date()) if is_owed else 0
    billed = InvoiceLine.objects.filter(invoice=invoice).order_by("pk")[:500]
    attempts = PaymentAttempt.objects.filter(invoice=invoice).select_related("method").order_by("-started_at")[:50]
    notes = CreditNote.objects.filter(invoice=invoice).order_by("-asked_at")[:50]
    refunds = Refund.objects.filter(charge__invoice=invoice).order_by("-asked_at")[:50]
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
                f"tax {money(invoice.tax_minor, invoice.currency)}{_carried(invoice)}",
            ),
            Card(
                "Paid",
                money(invoice.paid_minor, invoice.currency),
                moment(invoice.paid_at) if invoice.paid_at else "not paid",
            ),
            Card(
                "Still owed",
                money(owed_minor, invoice.currency),
                invoice.collection_failed,
                Tone.BAD if owed_minor else Tone.GOOD,
            ),
            Card(
                "True debt",
                money(debt_minor, invoice.currency),
                "what would stay owed if it were given up today",
                Tone.BAD if debt_minor else Tone.GOOD,
            ),
        ],
        sections=[
            Table(
                "Lines",
                ("Line", "Price", "Quantity", "Unit amount", "Amount", "Period"),
                [line_row(line, invoice.currency) for line in billed],
                "It has no lines.",
            ),
            Table(
                "Attempts to collect",
                ("Outcome", "Amount", "With", "Started", "Finished", "Payment intent"),
                [attempt_row(attempt) for attempt in attempts],
                "Nobody tried to collect it.",
            ),
            Table(
                "Credit notes",
                ("Note", "Total", "Off the debt", "To the method", "To credit", "Asked", "Issued"),
                [note_row(note) for note in notes],
                "Nothing was taken off it.",
            ),
            Table(
                "Refunds",
                ("Outcome", "Amount", "Asked", "Ended", "At Stripe"),
                [refund_row(refund) for refund in refunds],
                "No money went back.",
            ),
            Table(
                "Ledger",
                ("Transaction", "Book", "Debit", "Credit", "Posted"),
                [ledger_row(entry) for entry in entries],
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
                    ("As the customer has it", _papers(invoice)),
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
    acts = INVOICE_ACTS

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
