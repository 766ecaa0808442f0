"""Payment intents at Stripe."""

from typing import Any

from .client import client
from .errors import translated
from .reversals import OUR_ID
from .shapes import IntentFacts, Raw, raw_of, read_intent


def retrieve(intent_id: str) -> Raw:
    """Return the intent as it is now."""
    with translated():
        return raw_of(client().v1.payment_intents.retrieve(intent_id))


def charge(
    customer_id: str,
    *,
    method_processor_id: str,
    amount_minor: int,
    currency: str,
    off_session: bool,
    our_id: str,
    key: str,
) -> Raw:
    """
    Return a payment of its own, confirmed at once; `our_id` is written on it.

    :raises StripeDeclined: it was refused.
    """
    params: Any = {
        "customer": customer_id,
        "payment_method": method_processor_id,
        "amount": amount_minor,
        "currency": currency,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "metadata": {OUR_ID: our_id},
        **({"off_session": True} if off_session else {}),
    }
    with translated():
        return raw_of(client().v1.payment_intents.create(params, {"idempotency_key": key}))


def look_up(intent_id: str) -> IntentFacts:
    """Return how the intent stands now, and when it was last charged."""
    with translated():
        return read_intent(raw_of(client().v1.payment_intents.retrieve(intent_id, {"expand": ["latest_charge"]})))
