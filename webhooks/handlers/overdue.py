"""Invoices that nobody paid by their due date: those that are collected elsewhere."""

from billing.invoicing.take_over import notice

from .arrival import Arrival


def refresh(arrival: Arrival) -> bool:
    """Bring the invoice up to date."""
    return notice(arrival.object, account_id=arrival.account_id, now=arrival.now)
