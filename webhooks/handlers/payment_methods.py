"""Payment methods, however the customer came to add them."""

from billing.payments import methods

from .arrival import Arrival


def attached(arrival: Arrival) -> bool:
    """Keep the method among the account's."""
    return methods.remember(arrival.object, account_id=arrival.account_id, now=arrival.now)
