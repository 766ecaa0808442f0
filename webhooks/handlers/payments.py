"""Payments and what becomes of them: kept in the mirror. What they pay for is told by their invoices."""

from .arrival import Arrival, recorded


def refresh(arrival: Arrival) -> bool:
    """Keep the newest state."""
    return recorded(arrival)


def refund_failed(arrival: Arrival) -> bool:
    """Keep the newest state of the refund."""
    return recorded(arrival)
