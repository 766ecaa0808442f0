"""Invoices made by hand: created as drafts, filled with items, deleted, sent, paid by an intent of one's own."""

from typing import Any

from sandbox.world import World

from .collecting import finalize, receive
from .errors import invalid
from .events import emit
from .find import find, find_live, newest
from .ids import new_id
from .invoice_drafts import draft_invoice
from .invoice_items import pending_items, pull_pending
from .invoicing import attach_intent
from .params import (
    Params,
    boolean,
    clearable,
    count,
    group,
    integer,
    merged_metadata,
    metadata,
    one_of,
    text,
)

Object = dict[str, Any]

CREATE = group(
    {"customer": text},
    auto_advance=boolean,
    automatically_finalizes_at=integer,
    collection_method=one_of("charge_automatically", "send_invoice"),
    currency=text,
    days_until_due=count,
    default_payment_method=clearable(text),
    description=clearable(text),
    due_date=integer,
    footer=clearable(text),
    metadata=metadata,
    pending_invoice_items_behavior=one_of("exclude", "include"),
    subscription=text,
)
DELETE = group()
SEND = group()
ATTACH = group({"payment_intent": text})
COPIED = ("collection_method", "default_payment_method", "description", "due_date", "footer")


def create(world: World, params: Params) -> Object:
    """
    Create a draft; with `pending_invoice_items_behavior=include` it takes what waits for an invoice.

    It advances by itself only when `auto_advance` says so.
    """
    customer = find_live(world, "customer", params["customer"], param="customer")
    subscription = None
    if "subscription" in params:
        subscription = find(world, "subscription", params["subscription"], param="subscription")
    currency = str(params.get("currency") or (subscription or customer)["currency"] or "usd").lower()
    waiting: list[Object] = []
    if params.get("pending_invoice_items_behavior") == "include":
        waiting = pending_items(world, customer["id"], currency, params.get("subscription"))
    invoice = draft_invoice(
        world,
        customer,
        currency=currency,
        billing_reason="manual",
        lines=[item["_line"] for item in waiting],
        period=(world.now(), world.now()),
        subscription=subscription,
        auto_advance=params.get("auto_advance", False),
        metadata=merged_metadata({}, params.get("metadata")),
        **{name: params[name] for name in COPIED if name in params},
    )
    invoice["_days_until_due"] = params.get("days_until_due")
    pull_pending(world, invoice, waiting)
    if invoice["auto_advance"]:
        invoice["automatically_finalizes_at"] = params.get("automatically_finalizes_at", world.now() + 3600)
        world.agenda.plan("finalize", invoice["id"], invoice["automatically_finalizes_at"])
    emit(world, "invoice.created", invoice)
    return invoice


def delete(world: World, _params: Params, invoice_id: str) -> Object:
    """Delete a draft made by hand; its items wait again, or go with it if they were made for it."""
    invoice = find_live(world, "invoice", invoice_id)
    if invoice["status"] != "draft" or "_subscription" in invoice:
        raise invalid("You can only delete draft invoices that are not of a subscription.", code="invoice_not_editable")
    for item in list(newest(world, "invoiceitem", invoice=invoice_id)):
        world.edit(item)["deleted"] = True
    world.agenda.drop("finalize", invoice_id)
    invoice = world.edit(invoice)
    emit(world, "invoice.deleted", invoice)
    invoice["deleted"] = True
    return invoice


def send(world: World, _params: Params, invoice_id: str) -> Object:
    """Send an invoice to its customer, finalising it first if need be."""
    invoice = find_live(world, "invoice", invoice_id)
    if invoice["collection_method"] != "send_invoice":
        raise invalid("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice["status"] == "draft":
        finalize(world, invoice)
    emit(world, "invoice.sent", invoice)
    return invoice


def attach_payment(world: World, params: Params, invoice_id: str) -> Object:
    """
    Let an intent made by hand pay an open invoice; one that has succeeded pays it at once.

    :raises StripeRefusal: the invoice is not open, or the intent is another invoice's, or of another currency.
    """
    invoice = find_live(world, "invoice", invoice_id)
    intent = find(world, "payment_intent", params["payment_intent"], param="payment_intent")
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid("Payments can be attached to open invoices only.", param="invoice")
    if "_invoice" in intent or intent["currency"] != invoice["currency"] or intent["status"] == "canceled":
        raise invalid("This PaymentIntent cannot pay this invoice.", param="payment_intent")
    attach_intent(world, invoice, world.edit(intent), payment_id=new_id("inpay"), is_default=False)
    if intent["status"] == "succeeded":
        receive(world, invoice, intent)
    return invoice
