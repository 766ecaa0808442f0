"""What all the accounts that the caller reaches were billed, without naming an account."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.envelope import page_of, rfc3339
from accounts.api.paging import InvalidQuery, choice_of, paging_of
from accounts.api.scope import ApiView
from accounts.models import Zone
from accounts.roles import Permission

from ..invoicing.states import FinalizeReason
from ..models.invoices import Invoice, InvoiceLine
from .history import DESCRIPTIONS, STATUSES
from .shapes import dollars

# `type` is the same for all.
ORDERS = {"occurred_at": "-created_at", "action": "reason", "type": "-created_at"}


class UserBillingHistoryView(ApiView):
    """`/user/billing/history`: invoices of every account, newest first; by `action`, `type` or `occurred_at`."""

    needs = {"GET": Permission.READ}

    def get(self, request: Request) -> Response:
        paging, said = paging_of(request), request.query_params
        invoices = Invoice.objects.filter(
            account__in=self.caller.accounts_where(Permission.READ), status__in=list(STATUSES)
        )
        if action := said.get("action"):
            invoices = invoices.filter(reason=action)
        if said.get("type", "invoice") != "invoice":
            invoices = invoices.none()
        if text := said.get("occurred_at"):
            invoices = invoices.filter(created_at=_moment(text))
        column = ORDERS[choice_of(request, "order", tuple(ORDERS))]
        page = list(invoices.order_by(column, "-created_at", "-pk")[paging.start : paging.end])
        zones = _zone_names(page)
        return page_of(
            [_shape(invoice, zones[invoice.pk]) for invoice in page],
            page=paging.page,
            per_page=paging.per_page,
            total_count=invoices.count(),
        )


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text.replace(" ", "+"))  # a plus that was not escaped
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidQuery("occurred_at must be a time as RFC 3339 writes it.")
    return moment


def _zone_names(invoices: Sequence[Invoice]) -> dict[str, set[str]]:
    """Return the names of the zones that each invoice has lines of. Two statements, however many."""
    objects = InvoiceLine.objects.filter(
        invoice__in=[invoice.pk for invoice in invoices], ope__object_kind="zone"
    ).values_list("invoice_id", "ope__object_id")
    pairs = set(objects)
    names = dict(Zone.objects.filter(pk__in={zone_id for _, zone_id in pairs}).values_list("pk", "name"))
    found: dict[str, set[str]] = defaultdict(set)
    for invoice_id, zone_id in pairs:
        found[invoice_id].add(names[zone_id])
    return found


def _shape(invoice: Invoice, zones: set[str]) -> dict[str, Any]:
    """`zone` has a name where the invoice is for one zone alone."""
    return {
        "id": invoice.pk,
        "type": "invoice",
        "action": invoice.reason,
        "description": f"{DESCRIPTIONS[FinalizeReason(invoice.reason)]} {invoice.number}".strip(),
        "amount": dollars(invoice.total_minor),
        "currency": invoice.currency.upper(),
        "occurred_at": rfc3339(invoice.created_at),
        "zone": {"name": next(iter(zones))} if len(zones) == 1 else {},
    }
