"""Idempotency keys: the answer to a POST is kept for 24 hours; a repeat gets that answer, not a second act."""

import hashlib
import json
from typing import Any

from sandbox.world import World

from .errors import StripeRefusal

KEPT_SECONDS = 24 * 60 * 60


def saved_answer(world: World, key: str, fingerprint: str) -> dict[str, Any] | None:
    """
    Return the answer kept under a key, or None when the key is new or older than 24 hours.

    :raises StripeRefusal: the key was used with another path or other parameters.
    """
    saved = world.documents.get("answer", key)
    if saved is None or saved["saved_at"] + KEPT_SECONDS <= world.clock.now():
        return None
    if saved["fingerprint"] != fingerprint:
        raise StripeRefusal(
            400,
            {
                "type": "idempotency_error",
                "message": "Keys for idempotent requests can only be used with the same parameters they were first "
                f"used with. Try using a key other than '{key}' if you meant to execute a different request.",
            },
            began=False,
        )
    return saved


def save_answer(
    world: World, key: str, fingerprint: str, *, status: int, body: dict[str, Any], request_id: str
) -> None:
    """Keep an answer, an error too, in the transaction of what it answers; forget those past their 24 hours."""
    now = world.clock.now()
    for old in world.documents.while_oldest("answer", lambda kept: kept["saved_at"] + KEPT_SECONDS <= now):
        world.documents.remove("answer", old["key"])
    answer = {
        "key": key,
        "fingerprint": fingerprint,
        "saved_at": now,
        "status": status,
        "body": body,
        "request_id": request_id,
    }
    world.documents.put("answer", key, answer)


def key_in_use(key: str) -> StripeRefusal:
    """Refuse a repeat that came while the first request with its key is still being worked on."""
    error = {
        "type": "idempotency_error",
        "code": "idempotency_key_in_use",
        "message": f"There is currently another in-progress request using this Idempotency Key: {key}.",
    }
    return StripeRefusal(409, error, began=False)


def fingerprint_of(method: str, path: str, params: dict[str, Any]) -> str:
    """Return what two requests with one key must have in common; the order of parameters does not matter."""
    return hashlib.sha256(json.dumps([method, path, params], sort_keys=True).encode()).hexdigest()
