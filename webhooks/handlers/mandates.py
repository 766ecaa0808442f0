"""What a customer authorised for later."""

from billing.changes_calculator.setting_up import method_confirmed
from dunning import mandates

from .arrival import Arrival


def refresh(arrival: Arrival) -> bool:
    """Record whether it still stands."""
    return mandates.follow(arrival.object, account_id=arrival.account_id, now=arrival.now)


def confirmed(arrival: Arrival) -> bool:
    """Record what was authorised, and commit the change that waited for the customer to confirm it, if one did."""
    authorised = mandates.confirmed(arrival.object, account_id=arrival.account_id, now=arrival.now)
    return method_confirmed(arrival.object, account_id=arrival.account_id, now=arrival.now) or authorised
