"""The customer's part, as Stripe's script in the browser would do it: choose a card, prove to be its owner."""

from typing import Any

from sandbox.world import World

from . import payment_intents, setup_intents
from .errors import StripeRefusal, invalid
from .find import newest
from .paying import needs_authentication
from .payment_methods import find_method

Object = dict[str, Any]

DOORS: dict[str, Any] = {"payment_intent": payment_intents, "setup_intent": setup_intents}


def intent_by_secret(world: World, client_secret: str) -> Object:
    """
    Return the payment or setup intent of a client secret.

    :raises StripeRefusal: nothing has that secret.
    """
    for kind in DOORS:
        for intent in newest(world, kind):
            if intent["client_secret"] == client_secret:
                return intent
    raise invalid("No intent has this client secret.", param="client_secret", code="resource_missing", status=404)


def answer_for_customer(world: World, client_secret: str, *, complete: bool, card: str | None) -> Object:
    """
    Bring an intent to its end: confirm it with a test card if none was chosen, then complete or fail 3D Secure.

    A card that asks for no authentication is paid or declined by the confirmation alone; there is nothing of it to
    fail, so failing it leaves everything as it is.
    """
    intent = intent_by_secret(world, client_secret)
    door = DOORS[intent["object"]]
    if intent["status"] in ("requires_payment_method", "requires_confirmation"):
        method = find_method(world, f"pm_card_{card}" if card else intent["payment_method"] or "")
        if not complete and not needs_authentication(method):
            return _outcome(intent)
        try:
            intent = door.confirm(world, {"payment_method": method["id"]}, intent["id"])
        except StripeRefusal as refusal:
            if not refusal.keeps_changes:
                raise
    if intent["status"] == "requires_action":
        door.authenticate(world, intent, complete=complete)
    return _outcome(intent)


def _outcome(intent: Object) -> Object:
    error = intent.get("last_payment_error") or intent.get("last_setup_error")
    return {"id": intent["id"], "object": intent["object"], "status": intent["status"], "error": error}
