"""Single lines at Stripe, on invoices that are drafts still."""

from .client import client
from .errors import translated


def add(invoice_id: str, *, customer_id: str, currency: str, amount_minor: int, description: str, key: str) -> None:
    """
    Put one line more on a draft; a negative amount is a credit. The same line when it is repeated.

    :raises StripeRefused: it is no draft any more.
    """
    with translated():
        client().v1.invoice_items.create(
            {
                "customer": customer_id,
                "invoice": invoice_id,
                "currency": currency,
                "amount": amount_minor,
                "description": description,
            },
            {"idempotency_key": key},
        )
