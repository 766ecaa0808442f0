"""Whom and what does an object of Stripe's point to? Pure; reads both payload generations."""

from dataclasses import dataclass
from typing import Any

from .shapes import id_of

# Where objects name other objects, by id or expanded. The generation before 2025 names more of them directly.
FIELDS = (
    "charge", "credit_note", "invoice", "latest_charge", "latest_invoice", "mandate",
    "payment_intent", "payment_method", "setup_intent", "subscription",
)  # fmt: skip
PRODUCT_KEY = "product"


@dataclass(frozen=True, slots=True)
class References:
    """`product` is what the metadata name, when several products share the Stripe account; mostly nothing."""

    customer_id: str
    object_ids: tuple[str, ...]
    product: str


def references(raw: dict[str, Any]) -> References:
    """Return the object's customer, the ids of itself and of what it points to, and whose product it says it is of."""
    of_subscription = (raw.get("parent") or {}).get("subscription_details") or raw.get("subscription_details") or {}
    ids = [raw.get("id"), of_subscription.get("subscription"), *(raw.get(field) for field in FIELDS)]
    return References(
        customer_id=id_of(raw.get("id") if raw.get("object") == "customer" else raw.get("customer")),
        object_ids=tuple(dict.fromkeys(filter(None, map(id_of, ids)))),
        product=_product(raw) or _product(of_subscription),
    )


# What an id is of, by what stands before its first underscore.
KINDS = {
    "ch": "charge", "cn": "credit_note", "dp": "dispute", "du": "dispute", "in": "invoice", "mandate": "mandate",
    "pi": "payment_intent", "pm": "payment_method", "py": "charge", "re": "refund", "seti": "setup_intent",
    "sub": "subscription",
}  # fmt: skip


def kind_of(object_id: str) -> str:
    """Return Stripe's name for the kind of object that an id is of; empty if the id doesn't say."""
    return KINDS.get(object_id.partition("_")[0], "")


def _product(part: dict[str, Any]) -> str:
    return str((part.get("metadata") or {}).get(PRODUCT_KEY) or "")
