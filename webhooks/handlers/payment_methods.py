"""Payment methods, however the customer came to add them, and whoever changed them."""

from billing.payments import methods

from .arrival import Arrival


def remember(arrival: Arrival) -> bool:
    """Keep the method among the account's, as it is now."""
    return methods.remember(arrival.object, account_id=arrival.account_id, now=arrival.now)
