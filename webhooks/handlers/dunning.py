"""What is owed: an invoice was asked for, paid, not paid, given up, or paid back."""

from billing.changes_calculator import resume
from billing.invoicing import refunds
from billing.invoicing.take_over import notice

from .arrival import Arrival


def owed(arrival: Arrival) -> bool:
    """Bring an invoice that we know up to date, with what it renews; take over one of a renewal that we don't."""
    return notice(arrival.object, account_id=arrival.account_id, now=arrival.now)


def paid(arrival: Arrival) -> bool:
    """Commit the change that waited for this payment, if one did; its invoice is recorded with it."""
    committed = resume.payment_confirmed(arrival.object, account_id=arrival.account_id, now=arrival.now)
    return committed or owed(arrival)


def refunded(arrival: Arrival) -> bool:
    """Record what of a payment somebody gave back at Stripe; what we asked for is known."""
    return refunds.note_charge(arrival.object, account_id=arrival.account_id, now=arrival.now)
