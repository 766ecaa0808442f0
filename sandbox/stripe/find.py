"""Find an object by its id, or refuse as Stripe does."""

from collections.abc import Iterator
from typing import Any

from sandbox.documents import INDEXED_FIELDS as INDEXED
from sandbox.world import World

from .errors import invalid, missing
from .shapes import card_shown

Object = dict[str, Any]

KIND_OF_PREFIX = {
    "ch": "charge",
    "cn": "credit_note",
    "cus": "customer",
    "cbtxn": "customer_balance_transaction",
    "du": "dispute",
    "issfr": "radar.early_fraud_warning",
    "evt": "event",
    "ii": "invoiceitem",
    "in": "invoice",
    "inpay": "invoice_payment",
    "mandate": "mandate",
    "pi": "payment_intent",
    "pm": "payment_method",
    "price": "price",
    "prod": "product",
    "re": "refund",
    "seti": "setup_intent",
    "sub": "subscription",
    "clock": "test_helpers.test_clock",
    "we": "webhook_endpoint",
}  # fmt: skip


def find(world: World, kind: str, object_id: str, *, param: str = "id") -> Object:
    """
    Return the object of that kind; a deleted one too.

    :raises StripeRefusal: there is none (404 when the path names it, 400 when a parameter does).
    """
    stored = world.documents.get(kind, object_id)
    if stored is None:
        raise missing(kind, object_id, param=param)
    return stored


def find_live(world: World, kind: str, object_id: str, *, param: str = "id") -> Object:
    """Return the object, which is not deleted."""
    stored = find(world, kind, object_id, param=param)
    if stored.get("deleted"):
        raise missing(kind, object_id, param=param)
    return stored


def find_any(world: World, object_id: str) -> Object | None:
    """Return the object an id names, whatever its kind; None when nothing has it."""
    prefix = object_id.partition("_")[0]
    if prefix == "card":
        method = world.documents.get("payment_method", object_id)
        return method and card_shown(method)
    if prefix in KIND_OF_PREFIX:
        return world.documents.get(KIND_OF_PREFIX[prefix], object_id)
    # Products may be created under an id of the caller's choice.
    return world.documents.get("product", object_id)


def newest(world: World, kind: str, **fields: str | None) -> Iterator[Object]:
    """Yield the live objects of a kind whose fields hold the given values, newest first; None asks for anything."""
    asked = {name: value for name, value in fields.items() if value is not None}
    indexed = next((name for name in asked if name in INDEXED), None)
    objects = world.documents.where(kind, indexed, asked[indexed]) if indexed else world.documents.newest_first(kind)
    for stored in objects:
        if not stored.get("deleted") and all(stored.get(name) == value for name, value in asked.items()):
            yield stored


def the_customer_method(world: World, method_id: str, customer_id: str | None, *, param: str) -> Object:
    """Return a payment method that belongs to the customer; Stripe refuses to use another one's."""
    method = find(world, "payment_method", method_id, param=param)
    if method["customer"] != customer_id:
        raise invalid(
            "The customer does not have a payment method with the ID "
            f"{method_id}. The payment method must be attached to the customer.",
            param=param,
            code="resource_missing",
        )
    return method
