"""Payment methods: cards of the test table, kept by brand and last four digits, never by number."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from sandbox.world import World

from .cards import BY_ALIAS, BY_NUMBER, DECLINES, TestCard, is_card_number
from .errors import card_refusal, invalid, malformed
from .events import emit
from .find import find, find_live, newest
from .ids import new_id
from .lists import page
from .params import PAGE, Params, address, clearable, group, integer, merged_metadata, metadata, one_of, text

Object = dict[str, Any]

DETAILS = group(address=address, email=clearable(text), name=clearable(text), phone=clearable(text), tax_id=text)
REDISPLAY = one_of("always", "limited", "unspecified")
CARD = group(number=text, token=text, exp_month=integer, exp_year=integer, cvc=text)
CREATE = group(
    {"type": one_of("card")}, card=CARD, billing_details=DETAILS, metadata=metadata, allow_redisplay=REDISPLAY
)
UPDATE = group(
    card=group(exp_month=integer, exp_year=integer),
    billing_details=DETAILS,
    metadata=metadata,
    allow_redisplay=REDISPLAY,
)
RETRIEVE = group()
ATTACH = group({"customer": text})
DETACH = group()
LIST = group(customer=text, type=text, allow_redisplay=text, **PAGE)

# The sandbox's own, at Stripe without meaning.
SAVED_WHILE_GOOD = "sandbox_saved_while_good"


def create(world: World, params: Params) -> Object:
    """Create a method that belongs to nobody yet; the bank is not asked before it is attached or charged."""
    said = params.get("card", {})
    card = _named_card(said)
    return new_method(world, card, params, exp_month=said.get("exp_month"), exp_year=said.get("exp_year"))


def retrieve(world: World, _params: Params, method_id: str) -> Object:
    return find_method(world, method_id, param="id")


def update(world: World, params: Params, method_id: str) -> Object:
    method = world.edit(find(world, "payment_method", method_id))
    if method["customer"] is None:
        raise invalid("You must save this PaymentMethod to a customer before you can update it.")
    method["billing_details"].update(params.get("billing_details", {}))
    method["card"].update(params.get("card", {}))
    method["metadata"] = merged_metadata(method["metadata"], params.get("metadata"))
    method["allow_redisplay"] = params.get("allow_redisplay", method["allow_redisplay"])
    emit(world, "payment_method.updated", method)
    return method


def attach(world: World, params: Params, method_id: str) -> Object:
    return attach_to(world, method_id, params["customer"])


def detach(world: World, _params: Params, method_id: str) -> Object:
    method = find(world, "payment_method", method_id)
    if method["customer"] is None:
        raise invalid(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            param="payment_method",
        )
    return detach_from(world, method)


def list_methods(world: World, params: Params) -> Object:
    found = newest(world, "payment_method", customer=params.get("customer"), type=params.get("type"))
    return page((method for method in found if method["customer"] is not None), params, "/v1/payment_methods")


def attach_to(world: World, method_id: str, customer_id: str) -> Object:
    """
    Save a method for a customer; the bank is asked, so a declining card is refused here already.

    One whose metadata says SAVED_WHILE_GOOD is not asked about: it stands for a card that began to decline later.

    :raises StripeRefusal: the bank declined, or the method is another customer's or was used up.
    """
    customer = find_live(world, "customer", customer_id, param="customer")
    method = find_method(world, method_id)
    if method["customer"] == customer_id:
        return method
    if method["customer"] is not None:
        raise invalid("The payment method you provided has already been attached to a customer.")
    if method.get("_used"):
        raise invalid(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
            "Customer, and may not be used again."
        )
    if SAVED_WHILE_GOOD not in method["metadata"]:
        refuse_declined(method["_on_attach"])
    method = world.documents.put("payment_method", method["id"], {**method, "customer": customer["id"]})
    emit(world, "payment_method.attached", method)
    return method


def detach_from(world: World, method: Object) -> Object:
    """Take a method from its customer for good; whatever had it as default has none."""
    customer_id = method["customer"]
    method = world.documents.put("payment_method", method["id"], {**method, "customer": None, "_used": True})
    emit(world, "payment_method.detached", method)
    customer = world.edit(find(world, "customer", customer_id))
    if customer["invoice_settings"]["default_payment_method"] == method["id"]:
        customer["invoice_settings"]["default_payment_method"] = None
        emit(world, "customer.updated", customer)
    for subscription in list(newest(world, "subscription", customer=customer_id)):
        if subscription["default_payment_method"] == method["id"]:
            world.edit(subscription)["default_payment_method"] = None
            emit(world, "customer.subscription.updated", subscription)
    return method


def find_method(world: World, method_id: str, *, param: str = "payment_method") -> Object:
    """Return a method; `pm_card_visa` and its like make a new one each time, as at Stripe."""
    alias = method_id.removeprefix("pm_card_")
    if alias != method_id and alias in BY_ALIAS:
        return new_method(world, BY_ALIAS[alias], {})
    return find(world, "payment_method", method_id, param=param)


def refuse_declined(decline: str | None, **about: object) -> None:
    """Raise the card error of a decline; None is no decline."""
    if decline is not None:
        raise card_refusal({**DECLINES[decline].as_error(), **about})


def token_card(token: str, *, param: str) -> TestCard:
    """Return the test card of a token such as `tok_visa`."""
    card = BY_ALIAS.get(token.removeprefix("tok_"))
    if card is None:
        raise invalid(f"No such token: '{token}'", param=param, code="resource_missing")
    return card


def _named_card(said: Params) -> TestCard:
    """Return the test card a request means; anything not in the table is refused, so no real card is ever kept."""
    if "token" in said:
        return token_card(said["token"], param="card[token]")
    number = said.get("number", "").replace(" ", "").replace("-", "")
    if not number:
        raise malformed("Missing required param: card[number].", param="card[number]", code="parameter_missing")
    if not is_card_number(number):
        refuse_declined("incorrect_number", param="number")
    if number not in BY_NUMBER:
        refuse_declined("test_mode_live_card")
    return BY_NUMBER[number]


def new_method(
    world: World,
    card: TestCard,
    params: Params,
    *,
    exp_month: int | None = None,
    exp_year: int | None = None,
    method_id: str | None = None,
) -> Object:
    """Return a new method of a test card that belongs to nobody; it expires in four years unless told otherwise."""
    year = exp_year or datetime.fromtimestamp(world.now(), UTC).year + 4
    if exp_month is not None and not 1 <= exp_month <= 12:
        raise card_refusal(
            {
                "code": "invalid_expiry_month",
                "message": "Your card's expiration month is invalid.",
                "param": "exp_month",
            }
        )
    nobody = {"address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))}
    return world.add(
        {
            "id": method_id or new_id("pm"),
            "object": "payment_method",
            "allow_redisplay": params.get("allow_redisplay", "unspecified"),
            "billing_details": {
                **nobody,
                **dict.fromkeys(("email", "name", "phone", "tax_id")),
                **params.get("billing_details", {}),
            },
            "card": {
                "brand": card.brand,
                "checks": {
                    "address_line1_check": None,
                    "address_postal_code_check": None,
                    "cvc_check": "pass" if "cvc" in params.get("card", {}) else "unchecked",
                },
                "country": card.country,
                "display_brand": card.brand,
                "exp_month": exp_month or 12,
                "exp_year": year,
                "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
                "funding": card.funding,
                "generated_from": None,
                "last4": card.last4,
                "networks": {"available": [card.brand], "preferred": None},
                "regulated_status": "unregulated",
                "three_d_secure_usage": {"supported": True},
                "wallet": None,
            },
            "created": world.now(),
            "customer": None,
            "customer_account": None,
            "livemode": False,
            "metadata": params.get("metadata", {}),
            "type": "card",
            # The bank's behaviour, copied from the table so that a control call may change this one card's fate.
            "_card": card.alias,
            "_on_attach": card.on_attach,
            "_on_charge": card.on_charge,
            "_authentication": card.authentication.value,
            "_set_up": False,
        }
    )
