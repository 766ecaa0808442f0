"""Which invoices are to be taken on, and when: the writer of `invoice_due`."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection

from accounts.lock import holds_lock
from config import wake

from ..models.invoices import Invoice, InvoiceDue


def take_on(invoice: Invoice, *, at: datetime) -> None:
    """
    Have an invoice finalised or collected at `at`, as its status asks for; one that is due already stays as it is.

    In the transaction of the fact that asks for it.
    """
    assert holds_lock(invoice.account_id)
    InvoiceDue.objects.get_or_create(invoice=invoice, defaults={"next_at": at})
    wake.wake("billing.advance_invoices")


# Whoever holds a row loses it: what it was taken for is older than what is decided now.
_PLAN = """
INSERT INTO invoice_due (invoice_id, next_at, attempts, lease_backend)
SELECT planned.*, 0, '' FROM unnest(%s::text[], %s::timestamptz[]) AS planned
ON CONFLICT (invoice_id) DO UPDATE SET
    next_at = EXCLUDED.next_at, attempts = 0, lease_token = NULL, lease_until = NULL, lease_backend = ''
"""


def plan(account_id: str, planned: Mapping[str, datetime | None]) -> None:
    """
    Have these invoices of an account, by id, taken on at these times and at no other; None: not at all.

    In the transaction of the decision. Two statements at most, however many there are.
    """
    assert holds_lock(account_id)
    at = {invoice_id: due_at for invoice_id, due_at in planned.items() if due_at is not None}
    if len(at) < len(planned):
        InvoiceDue.objects.filter(invoice__in=planned.keys() - at.keys()).delete()
    if at:
        with connection.cursor() as cursor:
            cursor.execute(_PLAN, [list(at), list(at.values())])
        wake.wake("billing.advance_invoices")
