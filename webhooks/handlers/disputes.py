"""Payments that a customer disputes at their bank."""

from billing.invoicing import disputes

from .arrival import Arrival


def refresh(arrival: Arrival) -> bool:
    """Record where a dispute stands, and where its money is."""
    return disputes.follow(arrival.object, account_id=arrival.account_id, now=arrival.now)
