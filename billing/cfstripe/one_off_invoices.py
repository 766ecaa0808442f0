"""Invoices of one thing that is bought once, beside every subscription."""

from typing import Any

from .client import client
from .errors import translated
from .invoices import WITH_PAYMENT
from .shapes import Raw, raw_of


def bill_once(customer_id: str, params: dict[str, Any], *, currency: str, key: str) -> Raw:
    """
    Return a finalised invoice of the one line that `params` holds; nothing is charged by this.

    Three calls, each with a key of its own made from `key`: the same invoice when it is repeated. What waits for the
    customer's next invoice is left waiting.
    """
    with translated():
        draft = client().v1.invoices.create(
            {
                "customer": customer_id,
                "currency": currency,
                "auto_advance": False,
                "collection_method": "charge_automatically",
                "pending_invoice_items_behavior": "exclude",
                "metadata": params["metadata"],
            },
            {"idempotency_key": f"{key}_invoice"},
        )
        client().v1.invoice_items.create(
            {"customer": customer_id, "currency": currency, "invoice": draft.id, **params["line"]},  # type: ignore[arg-type]
            {"idempotency_key": f"{key}_line"},
        )
        return raw_of(
            client().v1.invoices.finalize_invoice(
                draft.id, {"auto_advance": False, "expand": [*WITH_PAYMENT]}, {"idempotency_key": f"{key}_finalize"}
            )
        )
