"""Subscriptions: kept in the mirror. What an account owns, and when that ends, stands in our own rows."""

from .arrival import Arrival, recorded


def refresh(arrival: Arrival) -> bool:
    """Keep the newest state."""
    return recorded(arrival)
