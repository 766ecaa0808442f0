"""What a customer authorised for later."""

from billing.changes_calculator.setting_up import method_confirmed

from .arrival import Arrival, recorded


def refresh(arrival: Arrival) -> bool:
    """Keep the newest state."""
    return recorded(arrival)


def confirmed(arrival: Arrival) -> bool:
    """Commit the change that waited for the customer to confirm a method, if one did."""
    return method_confirmed(arrival.object, account_id=arrival.account_id, now=arrival.now)
