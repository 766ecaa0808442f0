"""
The first stage: keep what is really Stripe's and ours to act on, once, and say what became of the rest.

One INSERT and nothing else: no account is looked up and Stripe is not called while Stripe waits for the answer.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import DataError, OperationalError, connection
from prometheus_client import Counter

from billing.cfstripe.signatures import BadSignature, verify
from config import clock, wake

from .handler_registry import is_ours

# Bytes. Stripe's events hold one object, with lists cut to ten; the largest seen are some tens of thousands.
LARGEST_PAYLOAD = 1024 * 1024


class Verdict(Enum):
    """What became of a request."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    UNHANDLED = "unhandled"
    WRONG_METHOD = "wrong_method"
    TOO_LARGE = "too_large"
    UNSIGNED = "unsigned"
    BADLY_SIGNED = "badly_signed"
    UNREADABLE = "unreadable"


VERDICTS = Counter("paygo_webhook_requests_total", "Requests at the webhook doors, by verdict.", ["verdict"])
# Only of what was signed: nobody else can make up types.
DROPPED = Counter("paygo_webhook_dropped_total", "Events of types that nobody acts on, by type.", ["type"])


@dataclass(frozen=True, slots=True)
class Envelope:
    """The parts of an event that the inbox keeps in columns."""

    event_id: str
    event_type: str
    api_version: str
    created_at: datetime


def receive(*, method: str, content_length: int, signature: str, read: Callable[[], bytes]) -> Verdict:
    """
    Store the event that a request brings, if it is one of ours, and return what became of it, which is counted.

    The body is read only if it is small enough and signed at all. Repeating is safe: the event's id is the key.
    """
    try:
        verdict = _keep(*_signed_event(method, content_length, signature, read))
    except _Refused as refusal:
        verdict = refusal.verdict
    VERDICTS.labels(verdict.value).inc()
    return verdict


class _Refused(Exception):
    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict


def _signed_event(
    method: str, content_length: int, signature: str, read: Callable[[], bytes]
) -> tuple[Envelope, bytes]:
    """Return the event and the text that was signed, after the checks, the cheapest first."""
    if method != "POST":
        raise _Refused(Verdict.WRONG_METHOD)
    if content_length > LARGEST_PAYLOAD:
        raise _Refused(Verdict.TOO_LARGE)
    if not signature:
        raise _Refused(Verdict.UNSIGNED)
    payload = read()
    try:
        return _envelope(verify(payload, signature, settings.STRIPE_WEBHOOK_SECRETS)), payload
    except BadSignature:
        raise _Refused(Verdict.BADLY_SIGNED) from None
    except ValueError:
        raise _Refused(Verdict.UNREADABLE) from None


def _keep(envelope: Envelope, payload: bytes) -> Verdict:
    """Store the event unless nobody acts on its type."""
    if not is_ours(envelope.event_type):
        DROPPED.labels(envelope.event_type).inc()
        return Verdict.UNHANDLED
    try:
        is_new = _store(envelope, payload.decode())
    except DataError:  # JSON that PostgreSQL can't hold, such as a NUL character
        return Verdict.UNREADABLE
    if is_new:
        wake.wake("webhooks.forward")
    return Verdict.STORED if is_new else Verdict.DUPLICATE


def store_fetched(event: dict[str, Any]) -> bool:
    """Store an event that Stripe told us when asked, in the caller's transaction, and return whether it is new."""
    return _insert(_row(_envelope(event), json.dumps(event)))


def _envelope(event: dict[str, Any]) -> Envelope:
    """:raises ValueError: it is signed, and JSON, but no event."""
    match event:
        case {
            "object": "event",
            "id": str(event_id),
            "type": str(event_type),
            "created": int(created),
            "data": {"object": dict()},
        } if 0 < len(event_id) <= 255 and 0 < created < _YEAR_2100:
            return Envelope(event_id, event_type, event.get("api_version") or "", datetime.fromtimestamp(created, UTC))
    raise ValueError("not an event")


_YEAR_2100 = 4102444800

_INSERT = """
INSERT INTO stripe_event (id, type, api_version, created_at, received_at, payload, next_at,
    account_id, attempts, lease_backend, outcome, last_error)
VALUES (%s, %s, %s, %s, %s, %s, %s, '', 0, '', '', '')
ON CONFLICT (id) DO NOTHING
"""


def _store(envelope: Envelope, payload: str) -> bool:
    """
    Insert the event, and return whether it is new. The signed text is stored as it came, not read and written again.

    A connection that the server dropped meanwhile is noticed here and replaced, which is safe because the insert
    is; asking before each request whether it still stands would cost every event a round trip.
    """
    row = _row(envelope, payload)
    django_connection: Any = connection
    django_connection.health_check_done = True
    try:
        return _insert(row)
    except OperationalError:
        connection.close()
        return _insert(row)


def _row(envelope: Envelope, payload: str) -> list[str | datetime]:
    return [
        envelope.event_id,
        envelope.event_type,
        envelope.api_version,
        envelope.created_at,
        clock.machine_now(),
        payload,
        clock.now(),
    ]


def _insert(row: list[str | datetime]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, row)
        return bool(cursor.rowcount)
