"""Payment intents at Stripe."""

from .client import client
from .errors import translated
from .shapes import Raw, raw_of


def retrieve(intent_id: str) -> Raw:
    """Return the intent as it is now."""
    with translated():
        return raw_of(client().v1.payment_intents.retrieve(intent_id))
