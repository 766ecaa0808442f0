"""PaymentIntents: create, confirm, cancel, and the customer's answer to 3D Secure."""

from typing import Any

from sandbox.world import World

from .balance import minimum_charge
from .collecting import settle
from .errors import card_refusal, invalid, malformed
from .events import emit
from .find import find, find_live, newest
from .lists import page, within
from .params import (
    PAGE,
    TIME_RANGE,
    Params,
    boolean,
    clearable,
    either,
    group,
    integer,
    many,
    merged_metadata,
    metadata,
    one_of,
    text,
)
from .paying import PAYABLE, attempt, cancel_intent, new_intent, refusal_of, refuse_authentication
from .payment_methods import CREATE as METHOD_DATA
from .payment_methods import create as create_method
from .payment_methods import find_method
from .shapes import shown

Object = dict[str, Any]

FUTURE_USAGE = one_of("off_session", "on_session")
CONFIRMATION = {
    "error_on_requires_action": boolean,
    "mandate_data": group(customer_acceptance=group(type=text, online=group(ip_address=text, user_agent=text))),
    "off_session": either(boolean, one_of("one_off", "recurring")),
    "payment_method": text,
    "payment_method_data": METHOD_DATA,
    "receipt_email": clearable(text),
    "return_url": text,
    "setup_future_usage": clearable(FUTURE_USAGE),
    "use_stripe_sdk": boolean,
}
ABOUT = {"description": clearable(text), "metadata": metadata}
AUTOMATIC = group({"enabled": boolean}, allow_redirects=text)
CREATE = group(
    {"amount": integer, "currency": text},
    allowed_payment_method_types=many(one_of("card")),
    automatic_payment_methods=AUTOMATIC,
    capture_method=one_of("automatic", "automatic_async", "manual"),
    confirm=boolean,
    confirmation_method=one_of("automatic"),
    customer=text,
    **ABOUT,
    **CONFIRMATION,
)
UPDATE = group(
    amount=integer,
    currency=text,
    customer=text,
    payment_method=clearable(text),
    receipt_email=clearable(text),
    setup_future_usage=clearable(FUTURE_USAGE),
    **ABOUT,
)
CONFIRM = group(**CONFIRMATION)
CANCEL = group(cancellation_reason=one_of("abandoned", "duplicate", "fraudulent", "requested_by_customer"))
CAPTURE = group(amount_to_capture=integer)
RETRIEVE = group(client_secret=text)
LIST = group(customer=text, created=TIME_RANGE, **PAGE)


def create(world: World, params: Params) -> Object:
    """Create an intent of `amount` minor units, and with `confirm` try to have it paid at once."""
    currency = params["currency"].lower()
    if params["amount"] < minimum_charge(currency):
        raise invalid(
            f"Amount must be at least {minimum_charge(currency)} {currency} in minor units.",
            param="amount",
            code="amount_too_small",
        )
    if "customer" in params:
        find_live(world, "customer", params["customer"], param="customer")
    intent = new_intent(
        world,
        amount=params["amount"],
        currency=currency,
        customer_id=params.get("customer"),
        description=params.get("description"),
        setup_future_usage=params.get("setup_future_usage"),
        metadata=merged_metadata({}, params.get("metadata")),
    )
    intent["receipt_email"] = params.get("receipt_email")
    intent["capture_method"] = params.get("capture_method", "automatic")
    if "payment_method" in params:
        method = _usable_method(world, intent, params)
        intent.update(payment_method=method["id"], status="requires_confirmation")
    return _confirm(world, intent, params) if params.get("confirm") else intent


def retrieve(world: World, _params: Params, intent_id: str) -> Object:
    return find(world, "payment_intent", intent_id)


def list_intents(world: World, params: Params) -> Object:
    intents = newest(world, "payment_intent", customer=params.get("customer"))
    return page(
        (intent for intent in intents if within(intent["created"], params.get("created"))),
        params,
        "/v1/payment_intents",
    )


def update(world: World, params: Params, intent_id: str) -> Object:
    intent = world.edit(find(world, "payment_intent", intent_id))
    if intent["status"] not in PAYABLE:
        raise _unexpected(intent, "updated")
    if "_invoice" in intent and {"amount", "currency", "customer"} & params.keys():
        raise invalid("This PaymentIntent's amount is its invoice's and cannot be changed.", param="amount")
    if params.get("payment_method"):
        _usable_method(world, intent, params)
        intent["status"] = "requires_confirmation"
    intent.update({name: value for name, value in params.items() if name != "metadata"})
    intent["metadata"] = merged_metadata(intent["metadata"], params.get("metadata"))
    return intent


def confirm(world: World, params: Params, intent_id: str) -> Object:
    """
    Try to have the intent paid, with the method given now or before.

    :raises StripeRefusal: 402 when the bank declines; the attempt stands.
    """
    return _confirm(world, find(world, "payment_intent", intent_id), params)


def cancel(world: World, params: Params, intent_id: str) -> Object:
    intent = find(world, "payment_intent", intent_id)
    if "_invoice" in intent:
        raise invalid(
            "You cannot cancel this PaymentIntent because it belongs to an invoice. Void the invoice instead."
        )
    if intent["status"] not in (*PAYABLE, "requires_capture"):
        raise _unexpected(intent, "canceled")
    cancel_intent(world, intent, reason=params.get("cancellation_reason"))
    return intent


def capture(world: World, params: Params, intent_id: str) -> Object:
    """Take the money of an authorised intent, or `amount_to_capture` of it; the rest is released."""
    intent = find(world, "payment_intent", intent_id)
    if intent["status"] != "requires_capture":
        raise _unexpected(intent, "captured")
    authorised: int = intent["amount_capturable"]
    amount = params.get("amount_to_capture", authorised)
    if not 0 < amount <= authorised:
        raise invalid("The amount to capture is greater than what was authorized.", param="amount_to_capture")
    charge = world.edit(find(world, "charge", intent["latest_charge"]))
    charge.update(captured=True, amount_captured=amount)
    emit(world, "charge.captured", charge)
    intent = world.edit(intent)
    intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
    emit(world, "payment_intent.succeeded", intent)
    return intent


def authenticate(world: World, intent: Object, *, complete: bool) -> None:
    """
    Finish the 3D Secure step as the customer's browser would; the bank is then asked once more.

    :raises StripeRefusal: the intent waits for no customer.
    """
    if intent["status"] != "requires_action":
        raise _unexpected(intent, "authenticated")
    if complete:
        method = find(world, "payment_method", intent["payment_method"])
        attempt(world, intent, method, off_session=False, authenticated=True)
    else:
        refuse_authentication(world, intent)
    settle(world, intent)


def _confirm(world: World, intent: Object, params: Params) -> Object:
    if intent["status"] not in PAYABLE:
        raise _unexpected(intent, "confirmed")
    method = _usable_method(world, intent, params)
    intent = world.edit(intent)
    if "setup_future_usage" in params:
        intent["setup_future_usage"] = params["setup_future_usage"]
    off_session = params.get("off_session", False) is not False
    # A customer's own confirmation of an invoice's payment is never off-session, so that it can end in 3D Secure.
    attempt(world, intent, method, off_session=off_session)
    if intent["status"] == "requires_action":
        if params.get("error_on_requires_action"):
            raise card_refusal({"code": "authentication_required", "payment_intent": shown(world, intent)})
        return intent
    settle(world, intent)
    if intent["status"] not in ("succeeded", "requires_capture"):
        raise refusal_of(world, intent)
    return intent


def _usable_method(world: World, intent: Object, params: Params) -> Object:
    """
    Return the method an attempt is to use, which belongs to the intent's customer or to nobody yet.

    :raises StripeRefusal: there is none, or it is somebody else's.
    """
    if "payment_method_data" in params:
        method = create_method(world, params["payment_method_data"])
    else:
        named = params.get("payment_method") or intent["payment_method"]
        if named is None:
            raise invalid(
                "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update "
                "the PaymentIntent with a payment method and then confirm it again, or confirm it again directly "
                "with a payment method or ConfirmationToken.",
                code="payment_intent_unexpected_state",
            )
        method = find_method(world, named)
    if method["customer"] not in (None, intent["customer"]):
        raise invalid(
            "The provided PaymentMethod was attached to another Customer and cannot be used here.",
            param="payment_method",
        )
    if method.get("_used"):
        raise malformed(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, or was "
            "detached from a Customer. It may not be used again.",
            param="payment_method",
        )
    return method


def _unexpected(intent: Object, verb: str) -> Exception:
    return invalid(
        f"This PaymentIntent's status is {intent['status']}; it cannot be {verb}.",
        code="payment_intent_unexpected_state",
    )
