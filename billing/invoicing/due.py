"""Which invoices are to be taken on, and when: the writer of `invoice_due`."""

from datetime import datetime

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
