"""
What a change means for the items of a Stripe subscription: one item per price, as many as are billed at it. Pure.

While a payment is pending Stripe lets prices and quantities of items change, nothing else: an item that is not
needed any more gets quantity 0 and is deleted once the change is committed.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Item:
    """An item as the subscription has it, or as it should be; `id` empty: there is none yet. Price ids are Stripe's."""

    id: str
    price_id: str
    unit_amount_minor: int
    quantity: int


def moves(before: dict[str, Item], after: dict[str, Item]) -> list[dict[str, Any]]:
    """
    Return the `items` of a subscription update that turn `before` into `after`, both by price.

    One item that goes while another comes in the same quantity is the same item at another price.
    """
    going = [item for price, item in before.items() if item.quantity and not _quantity(after, price)]
    coming = [item for price, item in after.items() if item.quantity and price not in before]
    if len(going) == len(coming) == 1 and going[0].quantity == coming[0].quantity:
        swapped = [{"id": going[0].id, "price": coming[0].price_id}]
        handled = {going[0].price_id, coming[0].price_id}
    else:
        swapped, handled = [], set()
    changed = [
        _move(before.get(price), price, _quantity(after, price))
        for price in sorted({*before, *after} - handled)
        if _quantity(before, price) != _quantity(after, price)
    ]
    return swapped + changed


def from_next_period(before: dict[str, Item], after: dict[str, Item]) -> dict[str, Any]:
    """
    Return the parameters of an update that makes the items `after` from the next period on, charging nothing.

    A subscription can't be without items: one that nothing remains of ends with its period.
    """
    if not after:
        return {"cancel_at_period_end": True, "proration_behavior": "none"}
    params: dict[str, Any] = {"cancel_at_period_end": False, "proration_behavior": "none"}
    moved = moves(before, after)
    return params | ({"items": moved} if moved else {})


def without_payment(before: dict[str, Item], after: dict[str, Item]) -> dict[str, Any]:
    """
    Return the parameters of an update that makes the items `after` now, charging and crediting nothing.

    A subscription can't be without items: one that nothing remains of ends with its period.
    """
    if not after:
        return {"cancel_at_period_end": True, "proration_behavior": "none"}
    items: list[dict[str, Any]] = []
    for price in sorted({*before, *after}):
        if price not in after:
            items.append({"id": before[price].id, "deleted": True})
        elif _quantity(before, price) != after[price].quantity:
            items.append(_move(before.get(price), price, after[price].quantity))
    params: dict[str, Any] = {"cancel_at_period_end": False, "proration_behavior": "none"}
    return params | ({"items": items} if items else {})


def _quantity(items: dict[str, Item], price_id: str) -> int:
    return items[price_id].quantity if price_id in items else 0


def _move(item: Item | None, price_id: str, quantity: int) -> dict[str, Any]:
    return {"id": item.id, "quantity": quantity} if item else {"price": price_id, "quantity": quantity}
