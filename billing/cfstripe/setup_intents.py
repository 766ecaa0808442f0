"""Setup intents at Stripe."""

from typing import Any

from .client import client
from .errors import translated
from .shapes import Raw, raw_of


def create(params: dict[str, Any], *, key: str) -> Raw:
    """Return a new intent, with the secret that the customer confirms a method with."""
    with translated():
        return raw_of(client().v1.setup_intents.create(params, {"idempotency_key": key}))  # type: ignore[arg-type]


def cancel(intent_id: str, *, key: str) -> Raw:
    """Return the intent, cancelled: nobody can confirm it any more. One that has succeeded is refused."""
    with translated():
        return raw_of(client().v1.setup_intents.cancel(intent_id, {}, {"idempotency_key": key}))


def retrieve(intent_id: str) -> Raw:
    """Return the intent as it is now."""
    with translated():
        return raw_of(client().v1.setup_intents.retrieve(intent_id))
