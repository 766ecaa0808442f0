"""Prices: so much per unit, once or per interval. Tiers and packages are not imitated."""

from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.world import World

from . import products
from .errors import invalid, malformed
from .events import emit
from .find import find, find_live, newest
from .ids import new_id
from .lists import page, within
from .params import (
    PAGE,
    TIME_RANGE,
    Params,
    boolean,
    clearable,
    count,
    group,
    integer,
    many,
    merged_metadata,
    metadata,
    one_of,
    text,
)

Object = dict[str, Any]

INTERVAL = one_of("day", "week", "month", "year")
RECURRING = group({"interval": INTERVAL}, interval_count=count, usage_type=one_of("licensed"))
PRODUCT_DATA = group({"name": text}, id=text, metadata=metadata, active=boolean, unit_label=text)
CREATE = group(
    {"currency": text},
    active=boolean,
    billing_scheme=one_of("per_unit"),
    lookup_key=text,
    metadata=metadata,
    nickname=text,
    product=text,
    product_data=PRODUCT_DATA,
    recurring=RECURRING,
    tax_behavior=one_of("exclusive", "inclusive", "unspecified"),
    transfer_lookup_key=boolean,
    unit_amount=integer,
    unit_amount_decimal=text,
)
UPDATE = group(
    active=boolean,
    lookup_key=clearable(text),
    metadata=metadata,
    nickname=clearable(text),
    tax_behavior=text,
    transfer_lookup_key=boolean,
)
RETRIEVE = group()
LIST = group(
    active=boolean,
    created=TIME_RANGE,
    currency=text,
    lookup_keys=many(text),
    product=text,
    recurring=group(interval=INTERVAL),
    type=one_of("one_time", "recurring"),
    **PAGE,
)
# What `price_data` may say where a price is made on the spot.
PRICE_DATA = group(
    {"currency": text},
    product=text,
    recurring=RECURRING,
    unit_amount=integer,
    unit_amount_decimal=text,
    tax_behavior=text,
)


def create(world: World, params: Params) -> Object:
    """
    Create a price in minor units, whole (`unit_amount`) or with up to 12 decimals (`unit_amount_decimal`).

    :raises StripeRefusal: no amount or a negative one, no product, or a lookup key that another price holds.
    """
    if _amount(params)[1].startswith("-"):
        raise malformed("Invalid non-negative integer", param="unit_amount", code="parameter_invalid_integer")
    return _new_price(world, params)


def _new_price(world: World, params: Params) -> Object:
    product_id = _product_of(world, params)
    unit_amount, unit_amount_decimal = _amount(params)
    recurring = params.get("recurring")
    price = {
        "id": new_id("price"),
        "object": "price",
        "active": params.get("active", True),
        "billing_scheme": "per_unit",
        "created": world.now(),
        "currency": params["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": _free_lookup_key(world, params),
        "metadata": merged_metadata({}, params.get("metadata")),
        "nickname": params.get("nickname"),
        "product": product_id,
        "recurring": recurring
        and {
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count", 1),
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": unit_amount_decimal,
    }
    world.add(price)
    emit(world, "price.created", price)
    return price


def retrieve(world: World, _params: Params, price_id: str) -> Object:
    return find(world, "price", price_id)


def update(world: World, params: Params, price_id: str) -> Object:
    """Change all but what is charged: amount, currency and interval of a price never change."""
    price = world.edit(find(world, "price", price_id))
    if "lookup_key" in params:
        price["lookup_key"] = _free_lookup_key(world, params, own_id=price_id)
    for name in ("active", "nickname", "tax_behavior"):
        price[name] = params.get(name, price[name])
    price["metadata"] = merged_metadata(price["metadata"], params.get("metadata"))
    emit(world, "price.updated", price)
    return price


def list_prices(world: World, params: Params) -> Object:
    interval = params.get("recurring", {}).get("interval")
    found = (
        price
        for price in newest(
            world, "price", product=params.get("product"), currency=params.get("currency"), type=params.get("type")
        )
        if price["active"] == params.get("active", price["active"])
        and ("lookup_keys" not in params or price["lookup_key"] in params["lookup_keys"])
        and (interval is None or (price["recurring"] or {}).get("interval") == interval)
        and within(price["created"], params.get("created"))
    )
    return page(found, params, "/v1/prices")


def usable_price(world: World, said: Params, *, param: str, recurring: bool) -> Object:
    """
    Return the price an item names by `price` or describes by `price_data`, which may be negative: a credit.

    :raises StripeRefusal: it is inactive, or of the wrong type (one-time for a subscription item, or the reverse).
    """
    if "price_data" in said:
        # A price made on the spot is for this once: it is not offered again.
        price = {**_new_price(world, said["price_data"]), "active": True}
        world.edit(price)["active"] = False
    elif "price" in said:
        price = find(world, "price", said["price"], param=f"{param}[price]")
    else:
        raise malformed(f"Missing required param: {param}[price].", param=f"{param}[price]", code="parameter_missing")
    if not price["active"]:
        raise invalid(
            "The price specified is inactive. This field only accepts active prices.", param=f"{param}[price]"
        )
    if recurring != (price["type"] == "recurring"):
        kind = "recurring" if recurring else "one_time"
        raise invalid(
            f"The price specified is set to `type={price['type']}` but this field only accepts prices with "
            f"`type={kind}`.",
            param=f"{param}[price]",
        )
    return price


def name_of(world: World, price: Object) -> str:
    """Return what an invoice line calls a price: its product's name."""
    return str(find(world, "product", price["product"])["name"])


def _product_of(world: World, params: Params) -> str:
    if "product_data" in params:
        return str(products.create(world, dict(params["product_data"]))["id"])
    if "product" not in params:
        raise malformed("You must specify either `product` or `product_data`.", param="product")
    return str(find_live(world, "product", params["product"], param="product")["id"])


def _amount(params: Params) -> tuple[int | None, str]:
    if "unit_amount" in params and "unit_amount_decimal" not in params:
        return params["unit_amount"], str(params["unit_amount"])
    try:
        decimal = Decimal(params.get("unit_amount_decimal", ""))
    except InvalidOperation:
        raise malformed(
            "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.", param="unit_amount"
        ) from None
    whole = decimal == decimal.to_integral_value()
    return (int(decimal) if whole else None), format(decimal.normalize(), "f")


def _free_lookup_key(world: World, params: Params, own_id: str | None = None) -> str | None:
    """Return the lookup key after taking it from its holder, if the request asks for that transfer."""
    key: str | None = params.get("lookup_key")
    holder = next((price for price in newest(world, "price") if key and price["lookup_key"] == key), None)
    if holder is not None and holder["id"] != own_id:
        if not params.get("transfer_lookup_key"):
            raise invalid(f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key")
        world.edit(holder)["lookup_key"] = None
        emit(world, "price.updated", holder)
    return key
