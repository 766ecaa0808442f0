"""Customers."""

from typing import Any

from sandbox.world import World

from . import subscription_states
from .balance import move_balance
from .errors import invalid
from .events import emit
from .find import find, find_live, newest, the_customer_method
from .ids import new_id, random_text
from .lists import page, within
from .params import PAGE, TIME_RANGE, Params, address, clearable, group, integer, many, merged_metadata, metadata, text
from .payment_methods import attach_to, detach_from

Object = dict[str, Any]

PLAIN = {"description": clearable(text), "email": clearable(text), "name": clearable(text), "phone": clearable(text)}
SHIPPING = clearable(group(address=address, name=text, phone=text))
SETTINGS = group(default_payment_method=clearable(text), footer=clearable(text))
SAID = {
    **PLAIN,
    "address": address,
    "balance": integer,
    "invoice_settings": SETTINGS,
    "invoice_prefix": text,
    "metadata": metadata,
    "preferred_locales": many(text),
    "shipping": SHIPPING,
    "source": text,
}
CREATE = group(payment_method=text, test_clock=text, **SAID)
UPDATE = group(default_source=text, **SAID)
RETRIEVE = group()
LIST = group(created=TIME_RANGE, email=text, test_clock=text, **PAGE)
METHODS = group(type=text, allow_redisplay=text, **PAGE)


def create(world: World, params: Params) -> Object:
    """Create a customer; a `payment_method` given with it is attached."""
    if "test_clock" in params:
        find_live(world, "test_helpers.test_clock", params["test_clock"], param="test_clock")
    customer = world.add(
        {
            "id": new_id("cus"),
            "object": "customer",
            "address": None,
            "balance": 0,
            "created": world.now(),
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": None,
            "invoice_prefix": random_text(8).upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": {},
            "name": None,
            "next_invoice_sequence": 1,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
        }
    )
    # The settings may name the method that is attached, and what is attached needs a customer that was told of.
    later: Params = {
        name: params.pop(name) for name in ("payment_method", "invoice_settings", "balance") if name in params
    }
    _say(world, customer, params)
    emit(world, "customer.created", customer)
    if "payment_method" in later:
        attach_to(world, later.pop("payment_method"), customer["id"])
    _say(world, customer, later)
    return customer


def retrieve(world: World, _params: Params, customer_id: str) -> Object:
    return find(world, "customer", customer_id)


def update(world: World, params: Params, customer_id: str) -> Object:
    """Change what is given; metadata is merged."""
    customer = world.edit(find_live(world, "customer", customer_id))
    _say(world, customer, params)
    emit(world, "customer.updated", customer)
    return customer


def list_customers(world: World, params: Params) -> Object:
    found = (
        customer
        for customer in newest(world, "customer", email=params.get("email"), test_clock=params.get("test_clock"))
        if within(customer["created"], params.get("created"))
    )
    return page(found, params, "/v1/customers")


def delete(world: World, _params: Params, customer_id: str) -> Object:
    """Delete a customer: its subscriptions end at once, its methods are detached; the id stays as deleted."""
    customer = world.edit(find_live(world, "customer", customer_id))
    for subscription in list(newest(world, "subscription", customer=customer_id)):
        if subscription["status"] not in subscription_states.ENDED:
            subscription_states.end(world, subscription, reason=None)
    for method in list(newest(world, "payment_method", customer=customer_id)):
        detach_from(world, method)
    emit(world, "customer.deleted", customer)
    customer["deleted"] = True
    return customer


def list_methods(world: World, params: Params, customer_id: str) -> Object:
    find_live(world, "customer", customer_id)
    found = newest(world, "payment_method", customer=customer_id, type=params.get("type"))
    return page(found, params, f"/v1/customers/{customer_id}/payment_methods")


def _say(world: World, customer: Object, params: Params) -> None:
    if "source" in params:
        raise invalid("Sources are added with /v1/customers/{id}/sources.", param="source")
    settings = params.get("invoice_settings", {})
    if settings.get("default_payment_method") is not None:
        the_customer_method(
            world,
            settings["default_payment_method"],
            customer["id"],
            param="invoice_settings[default_payment_method]",
        )
    if "balance" in params:
        currency = customer["currency"] or "usd"
        move_balance(world, customer, params["balance"] - customer["balance"], kind="adjustment", currency=currency)
    apart = ("balance", "invoice_settings", "metadata")
    plain = {name: value for name, value in params.items() if name not in apart}
    customer.update(plain)
    customer["invoice_settings"].update(settings)
    customer["metadata"] = merged_metadata(customer["metadata"], params.get("metadata"))
