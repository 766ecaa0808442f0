"""
The first stage: keep what is really Stripe's and ours to act on, once, and say what became of the rest.

One INSERT and nothing else: no account is looked up and Stripe is not called while Stripe waits for the answer.
"""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import DataError, OperationalError, connection
from prometheus_client import Counter

from billing.cfstripe.signatures import BadSignature, json_object, verify
from config import clock, wake

from .handler_registry import is_ours

# Bytes. Stripe's events hold one object, with lists cut to ten; the largest seen are some tens of thousands.
LARGEST_PAYLOAD = 1024 * 1024
# The same in base64, with what Pub/Sub writes around it.
LARGEST_PUSH = LARGEST_PAYLOAD * 4 // 3 + 64 * 1024
# Characters of an event's id: Stripe's have 28, and the journal has place for this many.
LONGEST_ID = 64


class Verdict(Enum):
    """What became of a request."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    UNHANDLED = "unhandled"
    WRONG_METHOD = "wrong_method"
    CLOSED = "closed"
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
    return judged(lambda: _keep(*_signed_event(method, content_length, signature, read)))


def receive_pushed(*, method: str, content_length: int, token: str, read: Callable[[], bytes]) -> Verdict:
    """
    Store the event that Pub/Sub pushes, as `receive` does. What proves it is ours is the token of the subscription.

    Its age is no reason to refuse it: Pub/Sub may have kept it through an outage.
    """
    return judged(lambda: _keep(*_pushed_event(method, content_length, token, read)))


def judged(keep: Callable[[], Verdict]) -> Verdict:
    """Return the verdict that keeping a request comes to, counted."""
    try:
        verdict = keep()
    except Refused as refusal:
        verdict = refusal.verdict
    VERDICTS.labels(verdict.value).inc()
    return verdict


class Refused(Exception):
    """Nothing of this request is kept."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict


def _signed_event(
    method: str, content_length: int, signature: str, read: Callable[[], bytes]
) -> tuple[Envelope, bytes]:
    """Return the event and the text that was signed, after the checks, the cheapest first."""
    check_request(method, content_length, LARGEST_PAYLOAD)
    if not signature:
        raise Refused(Verdict.UNSIGNED)
    payload = read()
    try:
        return _envelope(verify(payload, signature, settings.STRIPE_WEBHOOK_SECRETS)), payload
    except BadSignature:
        raise Refused(Verdict.BADLY_SIGNED) from None
    except ValueError:
        raise Refused(Verdict.UNREADABLE) from None


def _pushed_event(method: str, content_length: int, token: str, read: Callable[[], bytes]) -> tuple[Envelope, bytes]:
    if not settings.PUBSUB_TOKEN:
        raise Refused(Verdict.CLOSED)
    check_request(method, content_length, LARGEST_PUSH)
    if not token:
        raise Refused(Verdict.UNSIGNED)
    if not hmac.compare_digest(token.encode(), settings.PUBSUB_TOKEN.encode()):
        raise Refused(Verdict.BADLY_SIGNED)
    try:
        payload = _pushed_data(read())
        return _envelope(json_object(payload)), payload
    except ValueError:
        raise Refused(Verdict.UNREADABLE) from None


def _pushed_data(body: bytes) -> bytes:
    """:raises ValueError: it is no push of Pub/Sub's."""
    match json_object(body):
        case {"message": {"data": str(data)}}:
            return base64.b64decode(data, validate=True)
    raise ValueError("not a push")


def check_request(method: str, content_length: int, largest: int) -> None:
    """:raises Refused: a request that isn't worth reading."""
    if method != "POST":
        raise Refused(Verdict.WRONG_METHOD)
    if content_length > largest:
        raise Refused(Verdict.TOO_LARGE)


def _keep(envelope: Envelope, payload: bytes) -> Verdict:
    """Store the event unless nobody acts on its type."""
    if not is_ours(envelope.event_type):
        DROPPED.labels(envelope.event_type).inc()
        return Verdict.UNHANDLED
    try:
        is_new = insert_surely(lambda: _insert(_row(envelope, payload.decode())))
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
        } if 0 < len(event_id) <= LONGEST_ID and 0 < created < _YEAR_2100:
            return Envelope(event_id, event_type, event.get("api_version") or "", datetime.fromtimestamp(created, UTC))
    raise ValueError("not an event")


_YEAR_2100 = 4102444800

_INSERT = """
INSERT INTO stripe_event (id, type, api_version, created_at, received_at, payload, next_at,
    account_id, attempts, lease_backend, outcome, last_error)
VALUES (%s, %s, %s, %s, %s, %s, %s, '', 0, '', '', '')
ON CONFLICT (id) DO NOTHING
"""


def insert_surely(insert: Callable[[], bool]) -> bool:
    """
    Run an insert that is safe to repeat, and return what it returns.

    A connection that the server dropped meanwhile is noticed here and replaced, which is safe because the insert
    is; asking before each request whether it still stands would cost every event a round trip.
    """
    django_connection: Any = connection
    django_connection.health_check_done = True
    try:
        return insert()
    except OperationalError:
        connection.close()
        return insert()


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
