"""Payments and what becomes of them: kept in the mirror. What they pay for is told by their invoices."""

from billing.invoicing import refunds
from billing.payments import charge_apart

from .arrival import Arrival


def refresh(arrival: Arrival) -> bool:
    """Record the payment of an honest debt that was made past its invoice; any other is told by its invoice."""
    return charge_apart.follow(arrival.object, account_id=arrival.account_id, now=arrival.now)


def refund_failed(arrival: Arrival) -> bool:
    """Record that a refund came back: it becomes a task for an operator."""
    return refunds.follow(arrival.object, account_id=arrival.account_id, now=arrival.now)
