"""Subscription items on their own address: each call is an update of their subscription."""

from typing import Any

from sandbox.world import World

from .errors import missing
from .events import emit
from .find import find
from .lists import page
from .params import PAGE, Params, boolean, count, group, integer, metadata, text
from .prices import PRICE_DATA
from .shapes import item_shown
from .subscription_params import BEHAVIOR, PRORATION
from .subscription_updates import change_items

Object = dict[str, Any]

HOW = {"payment_behavior": BEHAVIOR, "proration_behavior": PRORATION, "proration_date": integer}
SAID = {"price": text, "price_data": PRICE_DATA, "quantity": count, "metadata": metadata}
CREATE = group({"subscription": text}, **HOW, **SAID)
UPDATE = group(off_session=boolean, **HOW, **SAID)
DELETE = group(clear_usage=boolean, **HOW)
RETRIEVE = group()
LIST = group({"subscription": text}, **PAGE)


def create(world: World, params: Params) -> Object:
    subscription = world.edit(find(world, "subscription", params["subscription"], param="subscription"))
    known = {item["id"] for item in subscription["_items"]}
    _change(world, subscription, params, {name: params[name] for name in SAID if name in params})
    return item_shown(world, next(item for item in subscription["_items"] if item["id"] not in known))


def retrieve(world: World, _params: Params, item_id: str) -> Object:
    return item_shown(world, _found(world, item_id)[1])


def list_items(world: World, params: Params) -> Object:
    """List a subscription's items in the order in which it shows them: a list begun there goes on here."""
    subscription = find(world, "subscription", params["subscription"], param="subscription")
    items = [item_shown(world, item) for item in subscription["_items"]]
    return page(items, params, "/v1/subscription_items")


def update(world: World, params: Params, item_id: str) -> Object:
    subscription = world.edit(_found(world, item_id)[0])
    said = {name: params[name] for name in SAID if name in params}
    _change(world, subscription, params, {"id": item_id, **said})
    return item_shown(world, _found(world, item_id)[1])


def delete(world: World, params: Params, item_id: str) -> Object:
    subscription = world.edit(_found(world, item_id)[0])
    _change(world, subscription, params, {"id": item_id, "deleted": True})
    return {"id": item_id, "object": "subscription_item", "deleted": True}


def _change(world: World, subscription: Object, params: Params, item: Params) -> None:
    how = {name: params[name] for name in (*HOW, "off_session") if name in params}
    change_items(world, subscription, {**how, "items": [item]})
    emit(world, "customer.subscription.updated", subscription)


def _found(world: World, item_id: str) -> tuple[Object, Object]:
    for subscription in world.documents.newest_first("subscription"):
        for item in subscription["_items"]:
            if item["id"] == item_id:
                return subscription, item
    raise missing("subscription_item", item_id)
