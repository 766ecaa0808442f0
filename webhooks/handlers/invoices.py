"""Invoices: our row follows Stripe's object, and the change that waited for the money goes on."""

from billing.changes_calculator import resume
from billing.invoicing.take_over import notice

from .arrival import Arrival


def noticed(arrival: Arrival) -> bool:
    """Bring an invoice that we know up to date, with what it renews; take over one of a renewal that we don't."""
    return notice(arrival.object, account_id=arrival.account_id, now=arrival.now)


def paid(arrival: Arrival) -> bool:
    """Commit the change that waited for this payment, if one did; its invoice is recorded with it."""
    committed = resume.payment_confirmed(arrival.object, account_id=arrival.account_id, now=arrival.now)
    return committed or noticed(arrival)
