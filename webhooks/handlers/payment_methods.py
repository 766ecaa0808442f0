"""Payment methods, however the customer came to add them."""

from billing.changes_calculator.setting_up import method_confirmed
from billing.payments import methods

from .arrival import Arrival


def attached(arrival: Arrival) -> bool:
    """Keep the method among the account's."""
    return methods.remember(arrival.object, account_id=arrival.account_id, now=arrival.now)


def confirmed(arrival: Arrival) -> bool:
    """Commit the change that waited for the customer to confirm a method, if one did."""
    return method_confirmed(arrival.object, account_id=arrival.account_id, now=arrival.now)
