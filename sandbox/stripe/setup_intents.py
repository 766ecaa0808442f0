"""SetupIntents: save a card for later, with the customer's consent, and authenticate it now rather than then."""

from typing import Any

from sandbox.world import World

from .errors import card_refusal, invalid
from .events import emit
from .find import find, find_live, newest
from .ids import new_id, random_text
from .lists import page, within
from .mandates import new_mandate
from .params import PAGE, TIME_RANGE, Params, boolean, clearable, group, many, merged_metadata, metadata, one_of, text
from .paying import needs_authentication, payment_error, three_d_secure_action
from .payment_intents import AUTOMATIC
from .payment_methods import CREATE as METHOD_DATA
from .payment_methods import attach_to, find_method
from .payment_methods import create as create_method
from .shapes import shown

Object = dict[str, Any]

WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")

ACCEPTANCE = group(customer_acceptance=group(type=text, online=group(ip_address=text, user_agent=text)))
CONFIRMATION = {
    "mandate_data": ACCEPTANCE,
    "payment_method": text,
    "payment_method_data": METHOD_DATA,
    "return_url": text,
    "use_stripe_sdk": boolean,
}
CREATE = group(
    allowed_payment_method_types=many(one_of("card")),
    automatic_payment_methods=AUTOMATIC,
    confirm=boolean,
    customer=text,
    description=clearable(text),
    metadata=metadata,
    usage=one_of("off_session", "on_session"),
    **CONFIRMATION,
)
UPDATE = group(customer=text, description=clearable(text), metadata=metadata, payment_method=clearable(text))
CONFIRM = group(**CONFIRMATION)
CANCEL = group(cancellation_reason=one_of("abandoned", "duplicate", "requested_by_customer"))
RETRIEVE = group(client_secret=text)
LIST = group(customer=text, payment_method=text, created=TIME_RANGE, **PAGE)


def create(world: World, params: Params) -> Object:
    """Create an intent to save a method for `usage` (off-session unless said otherwise)."""
    if "customer" in params:
        find_live(world, "customer", params["customer"], param="customer")
    intent_id = new_id("seti")
    intent = world.add(
        {
            "id": intent_id,
            "object": "setup_intent",
            "allowed_payment_method_types": None,
            "application": None,
            "automatic_payment_methods": None,
            "cancellation_reason": None,
            "client_secret": f"{intent_id}_secret_{random_text(25)}",
            "created": world.now(),
            "customer": params.get("customer"),
            "customer_account": None,
            "description": params.get("description"),
            "excluded_payment_method_types": None,
            "flow_directions": None,
            "last_setup_error": None,
            "latest_attempt": None,
            "livemode": False,
            "managed_payments": None,
            "mandate": None,
            "metadata": merged_metadata({}, params.get("metadata")),
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {
                "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
            },
            "payment_method_types": ["card"],
            "single_use_mandate": None,
            "status": "requires_payment_method",
            "usage": params.get("usage", "off_session"),
        }
    )
    emit(world, "setup_intent.created", intent)
    if "payment_method" in params:
        intent.update(payment_method=find_method(world, params["payment_method"])["id"], status="requires_confirmation")
    return _confirm(world, intent, params) if params.get("confirm") else intent


def retrieve(world: World, _params: Params, intent_id: str) -> Object:
    return find(world, "setup_intent", intent_id)


def list_intents(world: World, params: Params) -> Object:
    found = newest(world, "setup_intent", customer=params.get("customer"), payment_method=params.get("payment_method"))
    return page(
        (intent for intent in found if within(intent["created"], params.get("created"))), params, "/v1/setup_intents"
    )


def update(world: World, params: Params, intent_id: str) -> Object:
    intent = world.edit(find(world, "setup_intent", intent_id))
    if intent["status"] not in WAITING:
        raise _unexpected(intent, "updated")
    if params.get("payment_method"):
        params["payment_method"] = find_method(world, params["payment_method"])["id"]
        intent["status"] = "requires_confirmation"
    if "customer" in params:
        intent = world.documents.put("setup_intent", intent_id, {**intent, "customer": params["customer"]})
    intent.update({name: value for name, value in params.items() if name not in ("metadata", "customer")})
    intent["metadata"] = merged_metadata(intent["metadata"], params.get("metadata"))
    return intent


def confirm(world: World, params: Params, intent_id: str) -> Object:
    """
    Save the method: the bank checks the card, and may want the customer first.

    :raises StripeRefusal: 402 when the bank declines.
    """
    return _confirm(world, find(world, "setup_intent", intent_id), params)


def cancel(world: World, params: Params, intent_id: str) -> Object:
    intent = world.edit(find(world, "setup_intent", intent_id))
    if intent["status"] not in WAITING:
        raise _unexpected(intent, "canceled")
    intent.update(status="canceled", cancellation_reason=params.get("cancellation_reason"), next_action=None)
    emit(world, "setup_intent.canceled", intent)
    return intent


def authenticate(world: World, intent: Object, *, complete: bool) -> None:
    """Finish the 3D Secure step as the customer's browser would."""
    if intent["status"] != "requires_action":
        raise _unexpected(intent, "authenticated")
    method = find(world, "payment_method", intent["payment_method"])
    if complete:
        _succeed(world, intent, method, authenticated=True)
        return
    error = payment_error(world, "authentication_required", method)
    error.pop("decline_code")
    error.update(
        code="setup_intent_authentication_failure",
        message="The latest attempt to set up the payment method has failed because authentication failed.",
    )
    _fail(world, intent, error)


def _confirm(world: World, intent: Object, params: Params) -> Object:
    if intent["status"] not in WAITING:
        raise _unexpected(intent, "confirmed")
    method = _chosen(world, intent, params)
    intent = world.edit(intent)
    intent.update(payment_method=method["id"], next_action=None, last_setup_error=None)
    if method["_on_attach"] is not None and method["customer"] is None:
        error = payment_error(world, method["_on_attach"], method)
        _fail(world, intent, error)
        raise card_refusal({**error, "setup_intent": shown(world, intent)})
    if needs_authentication(method):
        intent.update(status="requires_action", next_action=three_d_secure_action(intent))
        emit(world, "setup_intent.requires_action", intent)
        return intent
    _succeed(world, intent, method, authenticated=False)
    return intent


def _chosen(world: World, intent: Object, params: Params) -> Object:
    if "payment_method_data" in params:
        return create_method(world, params["payment_method_data"])
    named = params.get("payment_method") or intent["payment_method"]
    if named is None:
        raise invalid(
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with "
            "a payment method and then confirm it again.",
            code="setup_intent_unexpected_state",
        )
    return find_method(world, named)


def _succeed(world: World, intent: Object, method: Object, *, authenticated: bool) -> None:
    intent = world.edit(intent)
    if intent["customer"] is not None:
        method = attach_to(world, method["id"], intent["customer"])
    if authenticated and intent["usage"] == "off_session":
        world.edit(method)["_set_up"] = True
    if intent["usage"] == "off_session":
        intent["mandate"] = new_mandate(world, method)["id"]
    intent.update(status="succeeded", next_action=None, last_setup_error=None)
    emit(world, "setup_intent.succeeded", intent)


def _fail(world: World, intent: Object, error: Object) -> None:
    intent = world.edit(intent)
    intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_setup_error=error)
    emit(world, "setup_intent.setup_failed", intent)


def _unexpected(intent: Object, verb: str) -> Exception:
    return invalid(
        f"You cannot perform this action because the SetupIntent has a status of {intent['status']}; "
        f"it cannot be {verb}.",
        code="setup_intent_unexpected_state",
    )
