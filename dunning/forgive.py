"""Forgive what an account owes: facts are changed, and what they mean is looked at again. No conclusion is set."""

from datetime import datetime

from billing.invoicing import resolve
from billing.invoicing.acts import InvoiceActRefused
from billing.invoicing.states import InvoiceStatus
from billing.models.invoices import Invoice

from .recompute import Examined, recompute

OWED = (InvoiceStatus.OPEN.value, InvoiceStatus.UNCOLLECTIBLE.value)


class NothingOwed(Exception):
    """There is nothing to forgive."""

    code = "nothing_owed"


def owed_invoices(account_id: str) -> list[Invoice]:
    """Return what can be forgiven, the oldest first. One statement."""
    owed = Invoice.objects.filter(account=account_id, status__in=OWED).order_by("created_at", "pk")
    return [invoice for invoice in owed if invoice.remaining_minor]


def forgive_debt(account_id: str, *, actor: str, reason: str = "", now: datetime) -> Examined:
    """
    Write off all that is owed, invoice by invoice, and look at the account; return what the brain found.

    The loss stands in the books, and Stripe is told. What Stripe does not answer to goes on by itself, and the brain is
    told when it is done. Not in a transaction.

    :raises NothingOwed: there is nothing.
    :raises InvoiceActRefused: of the first invoice, because something else is under way; others stay as they are.
    """
    owed = owed_invoices(account_id)
    if not owed:
        raise NothingOwed("Nothing is owed.")
    for number, invoice in enumerate(owed):
        try:
            resolve.write_off(invoice.pk, actor=actor, reason=reason, now=now)
        except InvoiceActRefused:
            if not number:
                raise
    return recompute(account_id, cause=f"forgiven by {actor}", actor=actor, now=now)
