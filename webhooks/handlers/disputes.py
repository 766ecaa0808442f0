"""Payments that a customer disputes at their bank."""

from .arrival import Arrival, recorded


def refresh(arrival: Arrival) -> bool:
    """Keep the newest state."""
    return recorded(arrival)
