"""Sources: cards in the older form. Each is a payment method under a `card_` id, shown as a card."""

from typing import Any

from sandbox.world import World

from .errors import missing
from .events import emit
from .find import find, find_live, newest
from .ids import new_id
from .lists import page
from .params import PAGE, Params, clearable, group, integer, merged_metadata, metadata, text
from .payment_methods import detach_from, new_method, refuse_declined, token_card
from .shapes import card_shown

Object = dict[str, Any]

CREATE = group({"source": text}, metadata=metadata)
UPDATE = group(exp_month=integer, exp_year=integer, metadata=metadata, name=clearable(text))
DELETE = group()
LIST = group(object=text, **PAGE)


def create(world: World, params: Params, customer_id: str) -> Object:
    """Save a card by its token (`tok_visa`); the first one is the customer's default."""
    customer = find_live(world, "customer", customer_id)
    card = token_card(params["source"], param="source")
    refuse_declined(card.on_attach)
    method = new_method(
        world, card, {"metadata": merged_metadata({}, params.get("metadata"))}, method_id=new_id("card")
    )
    method = world.documents.put("payment_method", method["id"], {**method, "customer": customer_id})
    emit(world, "customer.source.created", card_shown(method))
    if customer["default_source"] is None:
        world.edit(customer)["default_source"] = method["id"]
        emit(world, "customer.updated", customer)
    return card_shown(method)


def list_sources(world: World, params: Params, customer_id: str) -> Object:
    find_live(world, "customer", customer_id)
    cards = [card_shown(method) for method in cards_of(world, customer_id)]
    return page(cards, params, f"/v1/customers/{customer_id}/sources")


def update(world: World, params: Params, customer_id: str, card_id: str) -> Object:
    method = world.edit(_found(world, customer_id, card_id))
    before = card_shown(method)
    for name in ("exp_month", "exp_year"):
        method["card"][name] = params.get(name, method["card"][name])
    method["billing_details"]["name"] = params.get("name", method["billing_details"]["name"])
    method["metadata"] = merged_metadata(method["metadata"], params.get("metadata"))
    emit(world, "customer.source.updated", card_shown(method), before=before)
    return card_shown(method)


def delete(world: World, _params: Params, customer_id: str, card_id: str) -> Object:
    """Take a card from its customer; another one, if there is one, becomes the default."""
    method = _found(world, customer_id, card_id)
    emit(world, "customer.source.deleted", card_shown(method))
    detach_from(world, method)
    customer = world.edit(find_live(world, "customer", customer_id))
    if customer["default_source"] == card_id:
        rest = next(iter(cards_of(world, customer_id)), None)
        customer["default_source"] = rest and rest["id"]
        emit(world, "customer.updated", customer)
    return {"id": card_id, "object": "card", "deleted": True}


def cards_of(world: World, customer_id: str) -> list[Object]:
    """Return the customer's methods that are cards of the older form, newest first."""
    methods = newest(world, "payment_method", customer=customer_id)
    return [method for method in methods if method["id"].startswith("card_")]


def _found(world: World, customer_id: str, card_id: str) -> Object:
    method = find(world, "payment_method", card_id)
    if method["customer"] != customer_id:
        raise missing("source", card_id)
    return method
