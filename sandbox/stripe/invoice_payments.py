"""Invoice payments: which PaymentIntent pays which invoice."""

from typing import Any

from sandbox.world import World

from .find import find, newest
from .lists import page, within
from .params import PAGE, TIME_RANGE, Params, group, text

Object = dict[str, Any]

RETRIEVE = group()
LIST = group(created=TIME_RANGE, invoice=text, status=text, payment=group({"type": text}, payment_intent=text), **PAGE)


def retrieve(world: World, _params: Params, payment_id: str) -> Object:
    return find(world, "invoice_payment", payment_id)


def list_payments(world: World, params: Params) -> Object:
    """List them, by invoice or by the PaymentIntent (`payment[type]=payment_intent&payment[payment_intent]=pi_…`)."""
    intent_id = params.get("payment", {}).get("payment_intent")
    found = (
        payment
        for payment in newest(world, "invoice_payment", invoice=params.get("invoice"), status=params.get("status"))
        if intent_id in (None, payment["payment"].get("payment_intent"))
        and within(payment["created"], params.get("created"))
    )
    return page(found, params, "/v1/invoice_payments")
