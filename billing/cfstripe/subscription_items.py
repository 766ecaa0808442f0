"""Items of subscriptions at Stripe."""

from .client import client
from .errors import StripeRefused, translated


def delete_empty(item_id: str, *, key: str) -> None:
    """Take an item that bills nothing off its subscription; one that is gone, or bills again, is left alone."""
    try:
        with translated():
            item = client().v1.subscription_items.retrieve(item_id)
            if not item.quantity:
                client().v1.subscription_items.delete(item_id, {"proration_behavior": "none"}, {"idempotency_key": key})
    except StripeRefused as refusal:
        if refusal.code != "resource_missing":
            raise
