"""Subscriptions at Stripe."""

from typing import Any

from .client import client
from .errors import StripeRefused, translated
from .shapes import Raw, raw_of, read_subscription
from .subscription_items import whole


def create(params: dict[str, Any], *, key: str) -> Raw:
    """Return the new subscription with its first invoice expanded; the same one when repeated with the same key."""
    with translated():
        made = client().v1.subscriptions.create(params, {"idempotency_key": key})  # type: ignore[arg-type]
    return whole(raw_of(made))


def update(subscription_id: str, params: dict[str, Any], *, key: str) -> Raw:
    """
    Return the subscription after its items changed, or with the change pending until its invoice is paid.

    :raises StripeDeclined: the payment failed and nothing was changed (off-session only).
    """
    with translated():
        changed = client().v1.subscriptions.update(subscription_id, params, {"idempotency_key": key})  # type: ignore[arg-type]
    return whole(raw_of(changed))


def set_default_method(subscription_id: str, method_processor_id: str, *, key: str) -> None:
    """Make a method the one that this subscription is charged to."""
    update(subscription_id, {"default_payment_method": method_processor_id}, key=f"{key}_{subscription_id}")


def cancel(subscription_id: str, *, key: str) -> None:
    """End a subscription now, with no credit and no last invoice; one that has ended already stays so."""
    try:
        with translated():
            client().v1.subscriptions.cancel(
                subscription_id, {"prorate": False, "invoice_now": False}, {"idempotency_key": key}
            )
    except StripeRefused as refusal:
        if refusal.code != "resource_missing":
            raise


def retrieve(subscription_id: str) -> Raw:
    """Return the subscription as it is now."""
    with translated():
        return whole(raw_of(client().v1.subscriptions.retrieve(subscription_id)))


def retrieve_with_invoice(subscription_id: str) -> Raw:
    """Return the subscription as it is now, with its newest invoice and how that is paid."""
    expand = ["latest_invoice.confirmation_secret", "latest_invoice.payments"]
    with translated():
        return whole(raw_of(client().v1.subscriptions.retrieve(subscription_id, {"expand": expand})))


def delete_empty(subscription_id: str, item_id: str, *, key: str) -> None:
    """Take an item that bills nothing off its subscription; one that is gone, or bills again, is left alone."""
    try:
        items = read_subscription(retrieve(subscription_id)).items
        if any(item.id == item_id and not item.quantity for item in items):
            gone = {"items": [{"id": item_id, "deleted": True}], "proration_behavior": "none"}
            update(subscription_id, gone, key=key)
    except StripeRefused as refusal:
        if refusal.code != "resource_missing":
            raise


def find_of_workflow(customer_id: str, workflow_id: str) -> str | None:
    """Return the id of the subscription that this change made, one that has ended too; None: there is none."""
    with translated():
        made = client().v1.subscriptions.list({"customer": customer_id, "status": "all", "limit": 100})
        for subscription in made.auto_paging_iter():
            if subscription.metadata and subscription.metadata.to_dict().get("paygo_workflow") == workflow_id:
                return subscription.id
    return None
