"""Single lines at Stripe, on invoices that are drafts still, or waiting for one."""

from .client import client
from .errors import StripeRefused, translated
from .shapes import Raw, id_of, raw_of


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


def delete_pending(customer_id: str, subscription_id: str, *, key: str) -> tuple[str, ...]:
    """Delete what waits for a subscription's next invoice, and return the ids of what was there. Safe to repeat."""
    with translated():
        waiting = client().v1.invoice_items.list({"customer": customer_id, "pending": True, "limit": 100})
        items = [raw_of(item) for item in waiting.auto_paging_iter()]
    ids = tuple(item["id"] for item in items if _subscription_of(item) == subscription_id)
    for item_id in ids:
        try:
            with translated():
                client().v1.invoice_items.delete(item_id, {}, {"idempotency_key": f"{key}_{item_id}"})
        except StripeRefused as refusal:
            if refusal.code != "resource_missing":
                raise
    return ids


def _subscription_of(item: Raw) -> str:
    if "subscription" in item:  # before 2025
        return id_of(item["subscription"])
    details = (item.get("parent") or {}).get("subscription_details") or {}
    return id_of(details.get("subscription"))
