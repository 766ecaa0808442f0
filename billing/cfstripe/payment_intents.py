"""Payment intents at Stripe."""

from .client import client
from .errors import translated
from .shapes import IntentFacts, Raw, raw_of, read_intent


def retrieve(intent_id: str) -> Raw:
    """Return the intent as it is now."""
    with translated():
        return raw_of(client().v1.payment_intents.retrieve(intent_id))


def look_up(intent_id: str) -> IntentFacts:
    """Return how the intent stands now, and when it was last charged."""
    with translated():
        return read_intent(raw_of(client().v1.payment_intents.retrieve(intent_id, {"expand": ["latest_charge"]})))
