"""What a change of items means: the items afterwards, and the lines that settle the running period."""

from dataclasses import dataclass
from typing import Any

from sandbox.documents import copied
from sandbox.world import World

from .errors import invalid, malformed
from .find import find
from .items import check_items, new_item, whole_period
from .lines import credit_line, item_line, proration_line
from .params import Params, merged_metadata
from .prices import name_of, usable_price

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A planned change; nothing of it is stored. `anchor` is the new billing anchor if the cycle starts anew."""

    items: list[Object]
    lines: list[Object]
    anchor: int | None


def plan_change(
    world: World, subscription: Object, said: list[Params], *, at: int, prorates: bool, restarts: bool
) -> Change:
    """
    Return what becomes of a subscription's items, and what that costs.

    Each item whose price or quantity changes is credited for the unused rest of the period as it was billed, and
    charged for that rest as it becomes: two lines, each rounded once. A new interval starts the cycle anew, as
    `restarts` does: then every item is credited and charged for a whole period from now.

    :raises StripeRefusal: an unknown item, a price twice, or items that cannot be billed together.
    """
    before = subscription["_items"]
    after = _items_after(world, subscription, said)
    check_items(world, after)
    restarts = restarts or _interval(world, before) != _interval(world, after)
    renewed: Object = {**subscription, "billing_cycle_anchor": at, "_anchor_day": None, "start_date": at}
    old_by_id = {item["id"]: item for item in before}
    new_by_id = {item["id"]: item for item in after}

    lines = []
    for item_id in dict.fromkeys([*old_by_id, *new_by_id]):
        old, new = old_by_id.get(item_id), new_by_id.get(item_id)
        if not restarts and old is not None and new is not None and _same(old, new):
            continue
        if prorates and old is not None and old["_billed"] is not None:
            lines.append(_credit(world, subscription, old, at))
        if new is not None and restarts:
            lines.append(_whole_charge(world, renewed, new, at))
        elif new is not None and prorates:
            lines.append(_charge(world, subscription, new, at))
    return Change(after, lines, at if restarts else None)


def _items_after(world: World, subscription: Object, said: list[Params]) -> list[Object]:
    items = {item["id"]: item for item in map(copied, subscription["_items"]) if item is not None}
    for position, change in enumerate(said):
        item = items.get(change.get("id", ""))
        if "id" in change and item is None:
            raise invalid(
                f"Invalid subscription item: '{change['id']}'", param=f"items[{position}][id]", code="resource_missing"
            )
        if item is None:
            price = usable_price(world, change, param=f"items[{position}]", recurring=True)
            added = new_item(world, subscription, price, change)
            items[added["id"]] = added
        elif change.get("deleted"):
            del items[item["id"]]
        else:
            _change_item(world, item, change, param=f"items[{position}]")
    return list(items.values())


def _change_item(world: World, item: Object, change: Params, *, param: str) -> None:
    if "price" in change or "price_data" in change:
        item["price"] = usable_price(world, change, param=param, recurring=True)["id"]
        # At Stripe a new price without a quantity keeps the quantity.
    item["quantity"] = change.get("quantity", item["quantity"])
    item["metadata"] = merged_metadata(item["metadata"], change.get("metadata"))


def _credit(world: World, subscription: Object, item: Object, at: int) -> Object:
    price = find(world, "price", item["_billed"]["price"])
    return credit_line(
        subscription["id"],
        item,
        price,
        start=at,
        end=item["current_period_end"],
        period=whole_period(subscription, price, item["current_period_end"] - 1),
        name=name_of(world, price),
    )


def _charge(world: World, subscription: Object, item: Object, at: int) -> Object:
    price = find(world, "price", item["price"])
    return proration_line(
        subscription["id"],
        item,
        price,
        start=at,
        end=item["current_period_end"],
        period=whole_period(subscription, price, item["current_period_end"] - 1),
        name=name_of(world, price),
    )


def _whole_charge(world: World, renewed: Object, item: Object, at: int) -> Object:
    """Charge a whole period from now, and give the item that period."""
    price = find(world, "price", item["price"])
    period = whole_period(renewed, price, at)
    item.update(current_period_start=period[0], current_period_end=period[1])
    return item_line(
        renewed["id"], item, price, start=period[0], end=period[1], period=period, name=name_of(world, price)
    )


def _interval(world: World, items: list[Object]) -> Object:
    if not items:
        raise malformed("A subscription must have at least one active item.", param="items")
    recurring = find(world, "price", items[0]["price"])["recurring"]
    return {name: recurring[name] for name in ("interval", "interval_count")}


def _same(old: Object, new: Object) -> bool:
    return (old["price"], old["quantity"]) == (new["price"], new["quantity"])
