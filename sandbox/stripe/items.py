"""What a subscription item is: a price, a quantity, a period, and what of it was billed."""

from typing import Any

from sandbox.world import World

from .errors import invalid, malformed
from .find import find
from .ids import new_id
from .params import Params, merged_metadata
from .periods import period_around

Object = dict[str, Any]

MOST_ITEMS = 20


def new_item(world: World, subscription: Object, price: Object, said: Params) -> Object:
    """Return an item of a subscription, not yet in it; its period is the one the subscription's anchor gives today."""
    start, end = current_period(subscription, price, world.now())
    return {
        "id": new_id("si"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": world.now(),
        "current_period_end": end,
        "current_period_start": start,
        "current_trial": None,
        "discounts": [],
        "metadata": merged_metadata({}, said.get("metadata")),
        "price": price["id"],
        "quantity": said.get("quantity", 1),
        "subscription": subscription["id"],
        "tax_rates": [],
        # What the running period was charged for; None until something was.
        "_billed": None,
    }


def current_period(subscription: Object, price: Object, moment: int) -> tuple[int, int]:
    """Return the billing period around a moment; the first one begins with the subscription, not before it."""
    start, end = whole_period(subscription, price, moment)
    return max(start, subscription["start_date"]), end


def whole_period(subscription: Object, price: Object, moment: int) -> tuple[int, int]:
    """Return the unclipped period around a moment: the denominator of every proration."""
    recurring = price["recurring"]
    return period_around(
        moment,
        subscription["billing_cycle_anchor"],
        recurring["interval"],
        recurring["interval_count"],
        subscription["_anchor_day"],
    )


def period_end(subscription: Object) -> int:
    """Return the end of the running period, which all items of a subscription share."""
    return int(min(item["current_period_end"] for item in subscription["_items"]))


def note_billed(items: list[Object], invoice: Object) -> None:
    """Note in each item which line of an invoice charges it: what a later credit is taken from."""
    by_id = {item["id"]: item for item in items}
    for line in invoice["_lines"]:
        details = line["parent"]["subscription_item_details"]
        item = by_id.get(details["subscription_item"]) if details else None
        if item is not None and line["amount"] >= 0:
            item["_billed"] = {
                "price": line["pricing"]["price_details"]["price"],
                "quantity": line["quantity"],
                "invoice": invoice["id"],
                "line": line["id"],
            }


def check_items(world: World, items: list[Object]) -> None:
    """
    Refuse items that cannot be billed together.

    :raises StripeRefusal: no item, more than 20, one price twice, or prices of different currency or interval.
    """
    if not items:
        raise malformed("A subscription must have at least one active item.", param="items")
    if len(items) > MOST_ITEMS:
        raise invalid(f"A subscription can have at most {MOST_ITEMS} items.", param="items")
    prices = [find(world, "price", item["price"], param="items") for item in items]
    if len({price["id"] for price in prices}) < len(prices):
        raise invalid("Cannot add multiple subscription items with the same plan.", param="items")
    kinds = {
        (price["currency"], price["recurring"]["interval"], price["recurring"]["interval_count"]) for price in prices
    }
    if len(kinds) > 1:
        raise invalid("Currency and interval fields must match across all plans on this subscription.", param="items")
