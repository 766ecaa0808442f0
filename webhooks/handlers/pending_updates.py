"""Changes that wait at Stripe for their payment: applied, or given up."""

from billing.changes_calculator.resume import pending_update_decided

from .arrival import Arrival


def decided(arrival: Arrival) -> bool:
    """Have the change that waits for it go on."""
    return pending_update_decided(arrival.object["id"], account_id=arrival.account_id, now=arrival.now)
