"""Invoice items: amounts that wait for a customer's next invoice, or stand on a given draft."""

from typing import Any

from sandbox.world import World

from .errors import invalid, malformed
from .events import emit
from .find import find, find_live, newest
from .ids import new_id
from .invoice_drafts import put_lines
from .lines import amount_line, one_off_line
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
    merged_metadata,
    metadata,
    text,
)
from .prices import PRICE_DATA, name_of, usable_price

Object = dict[str, Any]

SAID = {
    "amount": integer,
    "description": clearable(text),
    "discountable": boolean,
    "metadata": metadata,
    "period": group({"start": integer, "end": integer}),
    "price_data": PRICE_DATA,
    "pricing": group(price=text),
    "quantity": count,
}
CREATE = group({"customer": text}, currency=text, invoice=text, subscription=text, **SAID)
UPDATE = group(**SAID)
RETRIEVE = group()
DELETE = group()
LIST = group(created=TIME_RANGE, customer=text, invoice=text, pending=boolean, **PAGE)


def create(world: World, params: Params) -> Object:
    """
    Create an item of an amount, or of a price and quantity; both may be negative, a credit.

    :raises StripeRefusal: neither was given, or the invoice it is for is no draft.
    """
    customer = find_live(world, "customer", params["customer"], param="customer")
    subscription_id = params.get("subscription")
    if subscription_id is not None:
        find(world, "subscription", subscription_id, param="subscription")
    line = _line(world, params, params.get("currency"), subscription_id, new_id("ii"))
    item = add_pending(world, customer, line, subscription_id, metadata=merged_metadata({}, params.get("metadata")))
    if "invoice" in params:
        invoice = _draft(world, params["invoice"])
        item = _put_on(world, item, invoice)
        _rewrite(world, invoice, [*invoice["_lines"], item["_line"]])
    return item


def retrieve(world: World, _params: Params, item_id: str) -> Object:
    return find_live(world, "invoiceitem", item_id)


def update(world: World, params: Params, item_id: str) -> Object:
    """Change an item while it waits or while its invoice is a draft."""
    item = world.edit(find_live(world, "invoiceitem", item_id))
    line = item["_line"]
    if {"amount", "price_data", "pricing", "quantity"} & params.keys():
        priced = {"quantity": item["quantity"], **params}
        if not {"amount", "price_data", "pricing"} & params.keys():
            priced["pricing"] = {"price": item["pricing"]["price_details"]["price"]}
        fresh = _line(world, priced, item["currency"], line["subscription"], item_id)
        item["_line"] = line = {**fresh, "id": line["id"], "period": line["period"]}
    line["description"] = params.get("description", line["description"])
    line["period"] = params.get("period", line["period"])
    item["metadata"] = line["metadata"] = merged_metadata(item["metadata"], params.get("metadata"))
    item.update(_said_by(line))
    if item["invoice"] is not None:
        invoice = _draft(world, item["invoice"])
        _rewrite(world, invoice, [line if old["id"] == line["id"] else old for old in invoice["_lines"]])
    return item


def list_items(world: World, params: Params) -> Object:
    pending = params.get("pending")
    found = (
        item
        for item in newest(world, "invoiceitem", customer=params.get("customer"), invoice=params.get("invoice"))
        if within(item["date"], params.get("created")) and (pending is None or pending == (item["invoice"] is None))
    )
    return page(found, params, "/v1/invoiceitems")


def delete(world: World, _params: Params, item_id: str) -> Object:
    """Take an item away; what is on a finalised invoice stays."""
    item = world.edit(find_live(world, "invoiceitem", item_id))
    if item["invoice"] is not None:
        invoice = _draft(world, item["invoice"])
        _rewrite(world, invoice, [line for line in invoice["_lines"] if line["id"] != item["_line"]["id"]])
    emit(world, "invoiceitem.deleted", item)
    item["deleted"] = True
    return item


def add_pending(
    world: World, customer: Object, line: Object, subscription_id: str | None, *, metadata: dict[str, str] | None = None
) -> Object:
    """Let a line wait for the customer's next invoice (of that subscription, if one is named)."""
    parent = line["parent"]["subscription_item_details"] or line["parent"]["invoice_item_details"]
    parent_of_item = subscription_id and {
        "subscription_details": {
            "subscription": subscription_id,
            **({"subscription_item": parent["subscription_item"]} if "subscription_item" in parent else {}),
        },
        "type": "subscription_details",
    }
    metadata = line["metadata"] if metadata is None else metadata
    line = {**line, "metadata": metadata}
    item = world.add(
        {
            "id": parent["invoice_item"],
            "object": "invoiceitem",
            "customer": customer["id"],
            "customer_account": None,
            "date": world.now(),
            "discounts": [],
            "invoice": None,
            "livemode": False,
            "metadata": metadata,
            "parent": parent_of_item,
            "proration": parent["proration"],
            "tax_rates": [],
            "test_clock": customer["test_clock"],
            **_said_by(line),
            "_line": line,
        }
    )
    emit(world, "invoiceitem.created", item)
    return item


def pending_items(world: World, customer_id: str, currency: str, subscription_id: str | None) -> list[Object]:
    """Return what waits for an invoice, oldest first: the subscription's own items and those of no subscription."""
    waiting = [
        item
        for item in newest(world, "invoiceitem", customer=customer_id)
        if item["invoice"] is None
        and item["currency"] == currency
        and item["_line"]["subscription"] in (None, subscription_id)
    ]
    return waiting[::-1]


def pull_pending(world: World, invoice: Object, items: list[Object]) -> None:
    """Note that waiting items, whose lines stand on an invoice already, wait no longer."""
    for item in items:
        _put_on(world, item, invoice)


def added_lines(world: World, subscription: Object, added: list[Params]) -> list[Object]:
    """Return the lines of `add_invoice_items`: one-time prices, which may be negative, on the invoice of this call."""
    lines = []
    for position, said in enumerate(added):
        price = usable_price(world, said, param=f"add_invoice_items[{position}]", recurring=False)
        if price["currency"] != subscription["currency"]:
            raise invalid("The currency of an added item must be the subscription's.", param="add_invoice_items")
        lines.append(
            one_off_line(
                price,
                said.get("quantity", 1),
                start=_said_time(world, said, "start"),
                end=_said_time(world, said, "end"),
                invoice_item_id=new_id("ii"),
                description=name_of(world, price),
                subscription_id=subscription["id"],
                metadata=said.get("metadata"),
            )
        )
    return lines


def _said_time(world: World, said: Params, edge: str) -> int:
    """Return where an added item's period starts or ends: as it says, else now."""
    return int(said.get("period", {}).get(edge, {}).get("timestamp", world.now()))


def _put_on(world: World, item: Object, invoice: Object) -> Object:
    return world.documents.put("invoiceitem", item["id"], {**item, "invoice": invoice["id"]})


def _line(world: World, said: Params, currency: str | None, subscription_id: str | None, item_id: str) -> Object:
    now = world.now()
    period = said.get("period", {"start": now, "end": now})
    about = {
        "start": period["start"],
        "end": period["end"],
        "invoice_item_id": item_id,
        "subscription_id": subscription_id,
        "metadata": merged_metadata({}, said.get("metadata")),
    }
    if "amount" in said:
        if currency is None:
            raise malformed("Missing required param: currency.", param="currency", code="parameter_missing")
        return amount_line(said["amount"], currency.lower(), description=said.get("description"), **about)
    named = {"price_data": said["price_data"]} if "price_data" in said else said.get("pricing", {})
    price = usable_price(world, named, param="pricing", recurring=False)
    described = said.get("description") or name_of(world, price)
    return one_off_line(price, said.get("quantity", 1), description=described, **about)


def _said_by(line: Object) -> Object:
    """Return what an item and its line say alike."""
    return {
        "amount": line["amount"],
        "currency": line["currency"],
        "description": line["description"],
        "discountable": line["discountable"],
        "net_amount": line["amount"],
        "period": line["period"],
        "pricing": line["pricing"],
        "quantity": line["quantity"],
        "quantity_decimal": line["quantity_decimal"],
    }


def _draft(world: World, invoice_id: str) -> Object:
    invoice = find_live(world, "invoice", invoice_id, param="invoice")
    if invoice["status"] != "draft":
        raise invalid(
            "The invoice is no longer editable: it has been finalized.", param="invoice", code="invoice_not_editable"
        )
    return world.edit(invoice)


def _rewrite(world: World, invoice: Object, lines: list[Object]) -> None:
    put_lines(invoice, lines, balance=find(world, "customer", invoice["customer"])["balance"])
    emit(world, "invoice.updated", invoice)
