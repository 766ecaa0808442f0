"""Is this webhook really Stripe's, and fresh?"""

import json
from collections.abc import Iterable
from typing import Any

import stripe

TOLERANCE_SECONDS = 300


class BadSignature(Exception):
    """The signature is missing, was made with another secret or over another body, or is too old."""


def verify(payload: bytes, header: str, secrets: Iterable[str]) -> dict[str, Any]:
    """
    Return the event in `payload`, signed with any of `secrets` within the last TOLERANCE_SECONDS of machine time.

    :raises BadSignature: it is not; nothing of the body was read.
    :raises ValueError: it is, but the body is not a JSON object.
    """
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(payload, header, secret, TOLERANCE_SECONDS)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        return json_object(payload)
    raise BadSignature


def json_object(payload: bytes) -> dict[str, Any]:
    """:raises ValueError: the text is no JSON object."""
    try:
        value = json.loads(payload)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value
