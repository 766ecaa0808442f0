"""Customers at Stripe, and their cards of the older form."""

from billing.payments import methods

from .arrival import Arrival, recorded


def refresh(arrival: Arrival) -> bool:
    """Keep the newest state; who an account's customer is was decided when it was made."""
    return recorded(arrival)


def source_updated(arrival: Arrival) -> bool:
    """Keep the card among the account's methods, as it is now."""
    return methods.remember(arrival.object, account_id=arrival.account_id, now=arrival.now)
