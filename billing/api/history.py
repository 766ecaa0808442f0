"""What an account was billed."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.envelope import page_of, rfc3339
from accounts.api.paging import paging_of
from accounts.api.scope import AccountView
from accounts.roles import Permission

from ..invoicing.states import FinalizeReason, InvoiceStatus
from ..models.invoices import Invoice
from .shapes import dollars

# What customers read for a state. A draft is none of theirs yet.
STATUSES: dict[InvoiceStatus, str] = {
    InvoiceStatus.OPEN:          "Unpaid",
    InvoiceStatus.PAID:          "Paid",
    InvoiceStatus.UNCOLLECTIBLE: "Unpaid",
    InvoiceStatus.VOID:          "Resolved",
}  # fmt: skip
DESCRIPTIONS: dict[FinalizeReason, str] = {
    FinalizeReason.PURCHASE:  "Purchase",
    FinalizeReason.CHANGE:    "Change of a subscription",
    FinalizeReason.CYCLE:     "Renewal",
    FinalizeReason.THRESHOLD: "Usage",
    FinalizeReason.DISPUTE:   "Disputed payment",
    FinalizeReason.MANUAL:    "Invoice",
}  # fmt: skip


class BillingHistoryView(AccountView):
    """`/accounts/{account_id}/billing/history`: invoices, newest first; `status` picks those of one state."""

    needs = {"GET": Permission.READ}

    def get(self, request: Request, account_id: str) -> Response:
        paging = paging_of(request)
        wanted: str = request.query_params.get("status", "")
        statuses = [status.value for status, word in STATUSES.items() if wanted.lower() in ("", word.lower())]
        invoices = Invoice.objects.filter(account=account_id, status__in=statuses)
        return page_of(
            [entry_shape(each) for each in invoices.order_by("-created_at", "-pk")[paging.start : paging.end]],
            page=paging.page,
            per_page=paging.per_page,
            total_count=invoices.count(),
        )


def entry_shape(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice as an entry of the history."""
    status = InvoiceStatus(invoice.status)
    return {
        "id": invoice.pk,
        "type": "invoice",
        "action": invoice.reason,
        "description": f"{DESCRIPTIONS[FinalizeReason(invoice.reason)]} {invoice.number}".strip(),
        "status": STATUSES[status],
        "amount": dollars(invoice.total_minor),
        "amount_to_pay": dollars(invoice.remaining_minor),
        "currency": invoice.currency.upper(),
        "occurred_at": rfc3339(invoice.created_at),
        "invoice_id": invoice.pk,
        "external_invoice_id": invoice.number or None,
        "source": "stripe",
        "source_invoice_id": invoice.stripe_invoice_id or None,
        "hosted_invoice_url": None,
        "receipt_id": invoice.pk,
    }
