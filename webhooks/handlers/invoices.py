"""Invoices that begin, fail, or are taken back: our row follows Stripe's object."""

from billing.invoicing.follow import note_not_finalized
from billing.invoicing.take_over import notice

from .arrival import Arrival, recorded


def refresh(arrival: Arrival) -> bool:
    """Take over the draft of a renewal; bring an invoice that we know up to date."""
    return notice(arrival.object, account_id=arrival.account_id, now=arrival.now)


def not_finalized(arrival: Arrival) -> bool:
    """Write on our invoice why it is still a draft."""
    return note_not_finalized(arrival.object, account_id=arrival.account_id, now=arrival.now)


def credited(arrival: Arrival) -> bool:
    """Keep the newest state of the credit note."""
    return recorded(arrival)
