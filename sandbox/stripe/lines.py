"""Invoice lines: what a subscription item, a one-off item or a proration costs; built here and nowhere else."""

from fractions import Fraction
from typing import Any

from .ids import new_id
from .periods import prorated, rounded_half_up

Object = dict[str, Any]

TIMES = "\N{MULTIPLICATION SIGN}"


def line_total(price: Object, quantity: int) -> Fraction:
    """Return price times quantity in minor units, exact: a price may have decimals below the minor unit."""
    return Fraction(price["unit_amount_decimal"]) * quantity


def item_line(
    subscription_id: str, item: Object, price: Object, *, start: int, end: int, period: tuple[int, int], name: str
) -> Object:
    """Bill a subscription item for [start, end) of a period; less than the whole period is prorated."""
    whole = (start, end) == period
    total = line_total(price, item["quantity"])
    amount = rounded_half_up(total) if whole else prorated(total, start, end, period=period)
    return {
        **_line(price, amount, item["quantity"], f"{item['quantity']} {TIMES} {name}", start=start, end=end),
        "parent": _item_parent(subscription_id, item["id"], proration=False),
        "subscription": subscription_id,
    }


def proration_line(
    subscription_id: str, item: Object, price: Object, *, start: int, end: int, period: tuple[int, int], name: str
) -> Object:
    """Charge the rest of a period, [start, end), for an item as it becomes."""
    amount = prorated(line_total(price, item["quantity"]), start, end, period=period)
    described = f"Remaining time on {item['quantity']} {TIMES} {name}"
    return {
        **_line(price, amount, item["quantity"], described, start=start, end=end),
        "parent": _item_parent(subscription_id, item["id"], proration=True),
        "subscription": subscription_id,
        "discountable": False,
    }


def credit_line(
    subscription_id: str, item: Object, price: Object, *, start: int, end: int, period: tuple[int, int], name: str
) -> Object:
    """
    Give back the rest of a period, [start, end), of what was billed for an item.

    From what was billed, not from what the item says today: a quantity that was never charged is never credited.
    """
    billed = item["_billed"]
    line = proration_line(subscription_id, {**item, **billed}, price, start=start, end=end, period=period, name=name)
    if billed.get("invoice"):
        credited = {"invoice": billed["invoice"], "invoice_line_items": [billed["line"]]}
        line["parent"]["subscription_item_details"]["proration_details"]["credited_items"] = credited
    described = f"Unused time on {billed['quantity']} {TIMES} {name}"
    return {**line, "amount": -line["amount"], "subtotal": -line["amount"], "description": described}


def one_off_line(
    price: Object, quantity: int, *, start: int, end: int, invoice_item_id: str, description: str,
    subscription_id: str | None, metadata: dict[str, str] | None = None,
) -> Object:  # fmt: skip
    """Bill an invoice item: `add_invoice_items` of a subscription call, or one created on its own."""
    amount = rounded_half_up(line_total(price, quantity))
    return {
        **_line(price, amount, quantity, description, start=start, end=end),
        "metadata": metadata or {},
        "parent": {
            "invoice_item_details": {
                "invoice_item": invoice_item_id,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": subscription_id,
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
        "subscription": subscription_id,
    }


def amount_line(
    amount: int, currency: str, *, start: int, end: int, invoice_item_id: str, description: str | None,
    subscription_id: str | None, metadata: dict[str, str] | None = None,
) -> Object:  # fmt: skip
    """Bill an amount that has no price of its own; it may be negative."""
    price = {"currency": currency, "unit_amount_decimal": str(amount)}
    line = one_off_line(
        {**price, "id": None, "product": None},
        1,
        start=start,
        end=end,
        invoice_item_id=invoice_item_id,
        description=description or "",
        subscription_id=subscription_id,
        metadata=metadata,
    )
    return {
        **line,
        "description": description,
        "pricing": {"type": "price_details", "unit_amount_decimal": str(amount)},
    }


def _line(price: Object, amount: int, quantity: int, description: str, *, start: int, end: int) -> Object:
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"start": start, "end": end},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subscription": None,
        "subtotal": amount,
        "taxes": [],
    }


def _item_parent(subscription_id: str, item_id: str, *, proration: bool) -> Object:
    return {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": new_id("ii") if proration else None,
            "proration": proration,
            "proration_details": {"credited_items": None},
            "subscription": subscription_id,
            "subscription_item": item_id,
        },
        "type": "subscription_item_details",
    }
