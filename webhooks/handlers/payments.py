"""Payments and what becomes of them: kept in the mirror. What they pay for is told by their invoices."""

from billing.invoicing import refunds

from .arrival import Arrival, recorded


def refresh(arrival: Arrival) -> bool:
    """Keep the newest state."""
    return recorded(arrival)


def refund_failed(arrival: Arrival) -> bool:
    """Record that a refund came back: it becomes a task for an operator."""
    return refunds.follow(arrival.object, account_id=arrival.account_id, now=arrival.now)
