"""How a stored object is shown, in answers and events: without the sandbox's own keys, with its embedded lists."""

from collections.abc import Callable
from typing import Any

from sandbox.world import World

Object = dict[str, Any]

# Stripe embeds no more lines than this in an invoice, and no more items in a subscription; the rest has a list.
EMBEDDED_LINES = 10
EMBEDDED_ITEMS = 10


def shown(world: World, stored: Object) -> Object:
    """Return the public form of an object; a deleted one is only its id and that it is deleted."""
    if stored.get("deleted"):
        return {"id": stored["id"], "object": stored["object"], "deleted": True}
    public = {name: value for name, value in stored.items() if not name.startswith("_")}
    return SHAPES.get(stored["object"], _as_stored)(world, stored, public)


def embedded_list(data: list[Object], url: str, *, limit: int | None = None) -> Object:
    """Return a list as it stands inside another object."""
    return {
        "object": "list",
        "data": data[:limit],
        "has_more": limit is not None and len(data) > limit,
        "total_count": len(data),
        "url": url,
    }


def item_shown(world: World, item: Object) -> Object:
    """Return a subscription item with its price as it is today; `plan` is the same price in the older form."""
    price = world.documents.get("price", item["price"])
    assert price is not None
    public = {name: value for name, value in item.items() if not name.startswith("_")}
    return {**public, "price": shown(world, price), "plan": _plan(price)}


def card_shown(method: Object) -> Object:
    """Return a payment method of the older kind as the card it was."""
    card = method["card"]
    return {
        "id": method["id"],
        "object": "card",
        **dict.fromkeys(("address_city", "address_country", "address_line1", "address_line1_check", "address_line2")),
        **dict.fromkeys(("address_state", "address_zip", "address_zip_check", "dynamic_last4", "tokenization_method")),
        "brand": "American Express" if card["brand"] == "amex" else card["brand"].title(),
        "country": card["country"],
        "customer": method["customer"],
        "cvc_check": None,
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "last4": card["last4"],
        "metadata": method["metadata"],
        "name": method["billing_details"]["name"],
        "regulated_status": card["regulated_status"],
    }


def _as_stored(_world: World, _stored: Object, public: Object) -> Object:
    return public


def _subscription(world: World, stored: Object, public: Object) -> Object:
    items = [item_shown(world, item) for item in stored["_items"]]
    url = f"/v1/subscription_items?subscription={stored['id']}"
    shape = {**public, "items": embedded_list(items, url, limit=EMBEDDED_ITEMS)}
    pending = public.get("pending_update")
    if pending is not None:
        pending_items = [item_shown(world, item) for item in pending["subscription_items"]]
        shape["pending_update"] = {**pending, "subscription_items": pending_items}
    return shape


def _invoice(_world: World, stored: Object, public: Object) -> Object:
    url = f"/v1/invoices/{stored['id']}/lines"
    return {**public, "lines": embedded_list(stored["_lines"], url, limit=EMBEDDED_LINES)}


def _credit_note(_world: World, stored: Object, public: Object) -> Object:
    return {**public, "lines": embedded_list(stored["_lines"], f"/v1/credit_notes/{stored['id']}/lines")}


def _plan(price: Object) -> Object:
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": recurring["usage_type"],
    }


SHAPES: dict[str, Callable[[World, Object, Object], Object]] = {
    "credit_note": _credit_note,
    "invoice": _invoice,
    "subscription": _subscription,
}
