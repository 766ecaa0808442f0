"""What an account was billed, what it paid, what went back and what it was given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, F, Model, QuerySet, Value
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.envelope import page_of, rfc3339
from accounts.api.paging import InvalidQuery, paging_of
from accounts.api.scope import AccountView
from accounts.roles import Permission

from ..invoicing.states import FinalizeReason, InvoiceStatus
from ..models.credits import Credit
from ..models.invoices import Invoice
from ..models.reversals import Charge, Refund
from .shapes import dollars

# What customers read for a state. A draft is none of theirs yet.
STATUSES: dict[str, str] = {
    InvoiceStatus.OPEN.value:          "Unpaid",
    InvoiceStatus.PAID.value:          "Paid",
    InvoiceStatus.UNCOLLECTIBLE.value: "Unpaid",
    InvoiceStatus.VOID.value:          "Resolved",
}  # fmt: skip
REFUND_STATUSES: dict[str, str] = {
    Refund.Status.ASKED.value:     "Pending",
    Refund.Status.PENDING.value:   "Pending",
    Refund.Status.SUCCEEDED.value: "Refunded",
    Refund.Status.FAILED.value:    "Failed",
    Refund.Status.REFUSED.value:   "Failed",
    Refund.Status.AS_CREDIT.value: "Resolved",
}  # fmt: skip
CHARGED, CREDITED = "Paid", "Credited"
DESCRIPTIONS: dict[FinalizeReason, str] = {
    FinalizeReason.PURCHASE:  "Purchase",
    FinalizeReason.CHANGE:    "Change of a subscription",
    FinalizeReason.CYCLE:     "Renewal",
    FinalizeReason.THRESHOLD: "Usage",
    FinalizeReason.DISPUTE:   "Disputed payment",
    FinalizeReason.MANUAL:    "Invoice",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class EntryKind:
    """
    One kind of entry: its rows, when each happened, what its states are called, and how it is written.

    `statuses` of rows that have no state is one word for them all.
    """

    rows: QuerySet[Any]
    happened: str
    statuses: Mapping[str, str] | str
    shape: Callable[[Any], dict[str, Any]]

    def found(self, name: str, account_id: str, word: str) -> QuerySet[Any] | None:
        """Return (kind, id, time, rank) of an account's rows of which the state is called so; empty: of all."""
        rows = self.rows.filter(account=account_id)
        if isinstance(self.statuses, str):
            if word.lower() not in ("", self.statuses.lower()):
                return None
        else:
            rows = rows.filter(
                status__in=[k for k, said in self.statuses.items() if word.lower() in ("", said.lower())]
            )
        # What follows from another at the same moment is newer: the kinds stand in that order.
        rank = list(KINDS).index(name)
        keys = rows.annotate(entry=Value(name, CharField()), happened_at=F(self.happened), rank=Value(rank))
        found: QuerySet[Any] = keys.values_list("entry", "pk", "happened_at", "rank")
        return found


class BillingHistoryView(AccountView):
    """`/accounts/{account_id}/billing/history`: newest first; `status` picks those of one state, `type` of one kind."""

    needs = {"GET": Permission.READ}

    def get(self, request: Request, account_id: str) -> Response:
        paging, said = paging_of(request), request.query_params
        wanted: str = said.get("type", "")
        if wanted and wanted not in KINDS:
            raise InvalidQuery(f"type must be one of {', '.join(KINDS)}.")
        of_kinds = [
            found
            for name, kind in KINDS.items()
            if wanted in ("", name) and (found := kind.found(name, account_id, said.get("status", ""))) is not None
        ]
        entries, total_count = [], 0
        if of_kinds:
            first, *others = of_kinds
            every = first.union(*others, all=True).order_by("-happened_at", "-rank", "-pk")
            entries, total_count = _shapes(list(every[paging.start : paging.end])), every.count()
        return page_of(entries, page=paging.page, per_page=paging.per_page, total_count=total_count)


def _shapes(page: list[tuple[str, str, Any, int]]) -> list[dict[str, Any]]:
    """Write the entries of a page, in its order. One statement for each kind that is on it."""
    rows: dict[tuple[str, str], Model] = {}
    for name in {name for name, *_ in page}:
        ids = [pk for kind, pk, *_ in page if kind == name]
        rows |= {(name, row.pk): row for row in KINDS[name].rows.filter(pk__in=ids)}
    return [KINDS[name].shape(rows[name, pk]) for name, pk, *_ in page]


def entry_shape(invoice: Invoice) -> dict[str, Any]:
    """Return an invoice as an entry of the history."""
    return {
        "id": invoice.pk,
        "type": "invoice",
        "action": invoice.reason,
        "description": f"{DESCRIPTIONS[FinalizeReason(invoice.reason)]} {invoice.number}".strip(),
        "status": STATUSES[invoice.status],
        "amount": dollars(invoice.total_minor),
        "amount_to_pay": dollars(invoice.remaining_minor),
        "currency": invoice.currency.upper(),
        "occurred_at": rfc3339(invoice.created_at),
        **_about(invoice),
        "receipt_id": invoice.pk,
    }


def _charge_shape(charge: Charge) -> dict[str, Any]:
    return {
        "id": charge.pk,
        "type": "charge",
        "action": "charge",
        "description": f"Payment of {charge.invoice}",
        "status": CHARGED,
        "amount": dollars(charge.amount_minor),
        "amount_to_pay": 0.0,
        "currency": charge.currency.upper(),
        "occurred_at": rfc3339(charge.charged_at),
        **_about(charge.invoice),
        "receipt_id": charge.invoice_id,
    }


def _refund_shape(refund: Refund) -> dict[str, Any]:
    """Its paper is that of its credit note, if that was issued."""
    note = refund.credit_note
    return {
        "id": refund.pk,
        "type": "refund",
        "action": "refund",
        "description": f"Refund of a payment of {refund.charge.invoice}",
        "status": REFUND_STATUSES[refund.status],
        "amount": dollars(refund.amount_minor),
        "amount_to_pay": 0.0,
        "currency": refund.currency.upper(),
        "occurred_at": rfc3339(refund.asked_at),
        **_about(refund.charge.invoice),
        "receipt_id": note.pk if note is not None and note.issued_at is not None else None,
    }


def _credit_shape(credit: Credit) -> dict[str, Any]:
    return {
        "id": credit.pk,
        "type": "credit",
        "action": credit.kind,
        "description": f"{credit.get_kind_display().capitalize()} credit",
        "status": CREDITED,
        "amount": dollars(credit.amount_minor),
        "amount_to_pay": 0.0,
        "currency": credit.currency.upper(),
        "occurred_at": rfc3339(credit.granted_at),
        **_about(None),
        "receipt_id": None,
    }


def _about(invoice: Invoice | None) -> dict[str, Any]:
    """The invoice that an entry is about, here and at its source."""
    return {
        "invoice_id": invoice.pk if invoice else None,
        "external_invoice_id": (invoice.number or None) if invoice else None,
        "source": "stripe" if invoice and invoice.stripe_invoice_id else "internal",
        "source_invoice_id": (invoice.stripe_invoice_id or None) if invoice else None,
        "hosted_invoice_url": None,
    }


KINDS: dict[str, EntryKind] = {
    "invoice": EntryKind(Invoice.objects.all(), "created_at", STATUSES, entry_shape),
    "charge":  EntryKind(Charge.objects.select_related("invoice"), "charged_at", CHARGED, _charge_shape),
    "refund":  EntryKind(
        Refund.objects.select_related("charge__invoice", "credit_note"), "asked_at", REFUND_STATUSES, _refund_shape
    ),
    "credit":  EntryKind(Credit.objects.all(), "granted_at", CREDITED, _credit_shape),
}  # fmt: skip
