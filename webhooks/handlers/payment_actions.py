"""Payments that wait for the customer's own confirmation."""

from billing.invoicing.follow import note_action_required
from billing.invoicing.take_over import notice

from .arrival import Arrival


def required(arrival: Arrival) -> bool:
    """Bring the invoice up to date, and write on it that it waits for its customer."""
    changed = notice(arrival.object, account_id=arrival.account_id, now=arrival.now)
    return note_action_required(arrival.object, account_id=arrival.account_id, now=arrival.now) or changed
