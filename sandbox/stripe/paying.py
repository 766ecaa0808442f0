"""How a PaymentIntent gets paid: ask the bank, perhaps the customer, record the charge, change the status."""

from datetime import UTC, datetime
from typing import Any

from sandbox.world import World

from .cards import BY_ALIAS, DECLINES, Authentication
from .charges import record_charge
from .errors import StripeRefusal, card_refusal
from .events import emit
from .find import find
from .ids import new_id, random_text
from .payment_methods import attach_to
from .shapes import shown

Object = dict[str, Any]

PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def new_intent(
    world: World,
    *,
    amount: int,
    currency: str,
    customer_id: str | None,
    description: str | None = None,
    setup_future_usage: str | None = None,
    metadata: dict[str, str] | None = None,
    **private: Any,
) -> Object:
    """Create a PaymentIntent that waits for a payment method."""
    intent_id = new_id("pi")
    intent = world.add(
        {
            "id": intent_id,
            "object": "payment_intent",
            "allowed_payment_method_types": None,
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic",
            "client_secret": f"{intent_id}_secret_{random_text(25)}",
            "confirmation_method": "automatic",
            "created": world.now(),
            "currency": currency,
            "customer": customer_id,
            "customer_account": None,
            "description": description,
            "excluded_payment_method_types": None,
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "managed_payments": None,
            "metadata": metadata or {},
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_configuration_details": None,
            "payment_method_options": {
                "card": {
                    "installments": None,
                    "mandate_options": None,
                    "network": None,
                    "request_three_d_secure": "automatic",
                }
            },
            "payment_method_types": ["card"],
            "payment_record": None,
            "processing": None,
            "receipt_email": None,
            "review": None,
            "setup_future_usage": setup_future_usage,
            "shipping": None,
            "source": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
            **private,
        }
    )
    emit(world, "payment_intent.created", intent)
    return intent


def attempt(world: World, intent: Object, method: Object, *, off_session: bool, authenticated: bool = False) -> None:
    """
    Try once to pay an intent with a method; the intent's status and `last_payment_error` tell how it ended.

    The bank may want the customer (`requires_action`). Off-session nobody is there to ask, so a payment on its own
    is declined with `authentication_required`; the payment of an invoice waits for the customer all the same.
    """
    intent = world.edit(intent)
    intent.update(payment_method=method["id"], next_action=None, last_payment_error=None)
    if needs_authentication(method) and not authenticated:
        if off_session:
            intent["last_payment_error"] = payment_error(world, "authentication_required", method)
        if not off_session or "_invoice" in intent:
            intent.update(status="requires_action", next_action=three_d_secure_action(intent), _off_session=off_session)
            emit(world, "payment_intent.requires_action", intent)
            return
        _decline(world, intent, method, "authentication_required", authenticated=False)
        return

    decline_name = method["_on_charge"] or ("expired_card" if _has_expired(world, method) else None)
    if decline_name is not None:
        _decline(world, intent, method, decline_name, authenticated=authenticated)
        return
    charge = record_charge(world, intent, method, decline_name=None, authenticated=authenticated)
    _save_method(world, intent, method, authenticated=authenticated)
    if intent["capture_method"] == "manual":
        intent.update(status="requires_capture", latest_charge=charge["id"], amount_capturable=intent["amount"])
        emit(world, "payment_intent.amount_capturable_updated", intent)
        return
    intent.update(status="succeeded", latest_charge=charge["id"], amount_received=intent["amount"])
    emit(world, "payment_intent.succeeded", intent)
    card = BY_ALIAS[method["_card"]]
    if card.dispute is not None or card.early_fraud_warning:
        # Never in the same breath: at Stripe, too, the payment is told first.
        world.agenda.plan("complain", charge["id"], world.now() + 1)


def refuse_authentication(world: World, intent: Object) -> None:
    """End a waiting authentication as failed: the customer did not prove to be the card's owner."""
    intent = world.edit(intent)
    method = find(world, "payment_method", intent["payment_method"])
    error = payment_error(world, "authentication_required", method)
    error.update(code="payment_intent_authentication_failure", message=AUTHENTICATION_FAILED)
    error.pop("decline_code")
    intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error)
    emit(world, "payment_intent.payment_failed", intent)


def cancel_intent(world: World, intent: Object, *, reason: str | None) -> None:
    """Cancel an intent that is not paid; it can never be paid again."""
    intent = world.edit(intent)
    intent["amount_capturable"] = 0
    intent.update(status="canceled", canceled_at=world.now(), cancellation_reason=reason, next_action=None)
    emit(world, "payment_intent.canceled", intent)


def needs_authentication(method: Object) -> bool:
    """Tell whether the bank wants to see the customer before it pays from this method."""
    wanted = Authentication(method["_authentication"])
    return wanted is Authentication.ALWAYS or (wanted is Authentication.UNLESS_SET_UP and not method["_set_up"])


def three_d_secure_action(intent: Object) -> Object:
    """What a browser is told to do next: hand over to Stripe's own script. No address of the sandbox is in it."""
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "stripe_3ds2_fingerprint", "three_d_secure_2_source": f"src_{intent['id']}"},
    }


def payment_error(world: World, decline_name: str, method: Object, charge_id: str | None = None) -> Object:
    """Return a decline as it stands in an intent's last error: no words about the intent itself."""
    charge = {"charge": charge_id} if charge_id else {}
    said = DECLINES[decline_name].as_error()
    return {"type": "card_error", **said, **charge, "payment_method": shown(world, method)}


def refusal_of(world: World, intent: Object) -> StripeRefusal:
    """Return the 402 that says why an intent was not paid, with the intent in it."""
    return card_refusal({**(intent["last_payment_error"] or {}), "payment_intent": shown(world, intent)})


def _has_expired(world: World, method: Object) -> bool:
    """Tell whether a card's last month is over."""
    today = datetime.fromtimestamp(world.now(), UTC)
    return (today.year, today.month) > (method["card"]["exp_year"], method["card"]["exp_month"])


def _decline(world: World, intent: Object, method: Object, decline_name: str, *, authenticated: bool) -> None:
    charge = record_charge(world, intent, method, decline_name=decline_name, authenticated=authenticated)
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        latest_charge=charge["id"],
        last_payment_error=payment_error(world, decline_name, method, charge["id"]),
    )
    emit(world, "payment_intent.payment_failed", intent)


def _save_method(world: World, intent: Object, method: Object, *, authenticated: bool) -> None:
    """Keep the method for later when the payment was made for that, and remember what the bank has agreed to."""
    if intent["setup_future_usage"] and intent["customer"] and method["customer"] is None:
        method = attach_to(world, method["id"], intent["customer"])
    method = world.edit(method)
    if method["customer"] is None:
        method["_used"] = True
    if authenticated and intent["setup_future_usage"] == "off_session":
        method["_set_up"] = True


AUTHENTICATION_FAILED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)
