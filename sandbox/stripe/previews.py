"""Previews: do the change for real, look at its invoice, and undo everything. So a preview cannot differ."""

from typing import Any

from sandbox.world import World

from . import subscriptions
from .errors import malformed
from .find import find, find_live
from .ids import new_id
from .invoice_drafts import draft_invoice, put_lines
from .invoice_items import add_pending
from .invoice_items import create as create_item
from .params import Params, boolean, clearable, group, integer, many, one_of, text
from .pending_updates import apply_change
from .prices import PRICE_DATA
from .renewals import cycle_invoice
from .subscription_params import PRORATION
from .subscription_updates import ANCHOR, ITEM, invoice_for_change, planned

Object = dict[str, Any]

INVOICE_ITEM = group(
    amount=integer, currency=text, description=text, price=text, price_data=PRICE_DATA, quantity=integer
)
PREVIEW = group(
    customer=text,
    currency=text,
    invoice_items=many(INVOICE_ITEM),
    preview_mode=one_of("next", "recurring"),
    subscription=text,
    subscription_details=group(
        billing_cycle_anchor=ANCHOR,
        billing_mode=group({"type": one_of("flexible")}),
        cancel_at_period_end=boolean,
        cancel_now=boolean,
        items=many(ITEM),
        proration_behavior=PRORATION,
        proration_date=integer,
        start_date=clearable(integer),
    ),
)


class _Seen(Exception):
    """Carries the previewed invoice out of the block whose changes are undone."""

    def __init__(self, invoice: Object) -> None:
        super().__init__()
        self.invoice = invoice


def create_preview(world: World, params: Params) -> Object:
    """
    Return the invoice that a change would make, or the next one if nothing changes; nothing is stored.

    With `proration_behavior=always_invoice` it is the invoice of the change alone, otherwise the next renewal with
    the prorations on it. Without a subscription it is the first invoice of a new one.
    """
    emitted = dict(world.emitted)
    try:
        with world.documents.savepoint():
            raise _Seen(_as_preview(_invoice(world, params)))
    except _Seen as seen:
        world.emitted = emitted
        return seen.invoice


def _invoice(world: World, params: Params) -> Object:
    details = params.get("subscription_details", {})
    if "subscription" not in params:
        return _first_invoice(world, params, details)
    subscription = world.edit(find(world, "subscription", params["subscription"], param="subscription"))
    _add_items(world, params, subscription["customer"], subscription["id"])
    if not details.get("items") and "billing_cycle_anchor" not in details:
        return cycle_invoice(world, subscription)
    change = planned(world, subscription, details)
    if details.get("proration_behavior") == "always_invoice" or change.anchor is not None:
        return invoice_for_change(world, subscription, change, details)
    apply_change(world, subscription, change)
    customer = find(world, "customer", subscription["customer"])
    for line in change.lines:
        add_pending(world, customer, line, subscription["id"])
    return cycle_invoice(world, subscription)


def _first_invoice(world: World, params: Params, details: Params) -> Object:
    if "customer" not in params or not (details.get("items") or params.get("invoice_items")):
        raise malformed("You must provide a subscription, or a customer and items.", param="subscription")
    customer = find_live(world, "customer", params["customer"], param="customer")
    _add_items(world, params, customer["id"], None)
    if not details.get("items"):
        return draft_invoice(
            world,
            customer,
            currency=params.get("currency", "usd"),
            billing_reason="manual",
            lines=[item["_line"] for item in world.documents.where("invoiceitem", "customer", customer["id"])][::-1],
            period=(world.now(), world.now()),
        )
    made = subscriptions.create(
        world,
        {"customer": customer["id"], "items": details["items"], "payment_behavior": "default_incomplete"},
    )
    return find(world, "invoice", made["latest_invoice"])


def _add_items(world: World, params: Params, customer_id: str, subscription_id: str | None) -> None:
    for said in params.get("invoice_items", []):
        item = {name: value for name, value in said.items() if name != "price"}
        if "price" in said:
            item["pricing"] = {"price": said["price"]}
        if subscription_id is not None:
            item["subscription"] = subscription_id
        create_item(world, {"customer": customer_id, **item})


def _as_preview(invoice: Object) -> Object:
    preview_id = new_id("upcoming_in")
    lines = [{**line, "invoice": preview_id} for line in invoice["_lines"]]
    preview = {
        **invoice,
        "id": preview_id,
        "status": "draft",
        "number": None,
        "effective_at": None,
        "ending_balance": None,
        "automatically_finalizes_at": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "status_transitions": dict.fromkeys(invoice["status_transitions"]),
    }
    put_lines(preview, lines, balance=invoice["starting_balance"])
    preview.update(amount_paid=0, attempted=False)
    return preview
