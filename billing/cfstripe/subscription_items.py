"""Items of subscriptions at Stripe."""

from . import subscriptions
from .client import client
from .errors import StripeRefused, translated
from .shapes import read_subscription


def delete_empty(subscription_id: str, item_id: str, *, key: str) -> None:
    """Take an item that bills nothing off its subscription; one that is gone, or bills again, is left alone."""
    try:
        items = read_subscription(subscriptions.retrieve(subscription_id)).items
        if any(item.id == item_id and not item.quantity for item in items):
            with translated():
                client().v1.subscription_items.delete(item_id, {"proration_behavior": "none"}, {"idempotency_key": key})
    except StripeRefused as refusal:
        if refusal.code != "resource_missing":
            raise
