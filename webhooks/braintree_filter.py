"""
The same first stage for Braintree's notifications: keep what is really Braintree's, once.

What asks for something waits in the stuck store from the beginning: nothing acts on it by itself, and nobody looks
into a table.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qs

from django.conf import settings
from django.db import DataError, connection, transaction
from prometheus_client import Counter

from accounts.models import SubsStuckEvent
from accounts.stuck import open_stuck
from billing.braintree.notifications import NotBraintrees, Notification, Unreadable, answer, verify
from config import clock

from .event_filter import Refused, Verdict, check_request, insert_surely, judged

# Bytes. A notification tells of one object.
LARGEST_NOTIFICATION = 256 * 1024
# What only informs: money is on its usual way, or Braintree tries the door.
INFORMS = frozenset({"check", "disbursement", "transaction_disbursed", "transaction_settled"})
UNREADABLE = "unreadable"

KINDS = Counter("paygo_braintree_notifications_total", "Notifications that Braintree signed, by kind.", ["kind"])


def receive(*, method: str, content_length: int, read: Callable[[], bytes]) -> Verdict:
    """
    Store the notification that a request brings, and return what became of it, which is counted.

    Braintree gives notifications no id, so the signed text is the key; repeating is safe.
    """
    return judged(lambda: _keep(method, content_length, read))


def prove(challenge: str) -> str:
    """Return the answer to Braintree's question whether this address is ours; empty if it is no such question."""
    try:
        return answer(challenge) if settings.BRAINTREE_PRIVATE_KEY else ""
    except NotBraintrees:
        return ""


def _keep(method: str, content_length: int, read: Callable[[], bytes]) -> Verdict:
    if not settings.BRAINTREE_PRIVATE_KEY:
        raise Refused(Verdict.CLOSED)
    check_request(method, content_length, LARGEST_NOTIFICATION)
    signature, payload = _fields(read())
    if not signature:
        raise Refused(Verdict.UNSIGNED)
    place = ""
    try:
        notification = verify(signature, payload)
    except NotBraintrees:
        raise Refused(Verdict.BADLY_SIGNED) from None
    except Unreadable as error:
        notification, place = Notification(UNREADABLE, clock.machine_now()), error.place
    try:
        is_new = insert_surely(lambda: _insert(notification, payload, place))
    except DataError:
        return Verdict.UNREADABLE
    if is_new:
        KINDS.labels(notification.kind).inc()
    return Verdict.STORED if is_new else Verdict.DUPLICATE


def _fields(body: bytes) -> tuple[str, str]:
    """:raises Refused: the body is no form."""
    try:
        form = parse_qs(body.decode("ascii"), max_num_fields=10)
    except ValueError:
        raise Refused(Verdict.UNREADABLE) from None
    return form.get("bt_signature", [""])[0], form.get("bt_payload", [""])[0]


_INSERT = """
INSERT INTO braintree_event (id, kind, created_at, received_at, payload) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (id) DO NOTHING
"""


def _insert(notification: Notification, payload: str, place: str) -> bool:
    """Write the notification, unless we have it; with what waits for somebody if it asks for anything."""
    key = hashlib.sha256(payload.strip().encode()).hexdigest()
    kind = notification.kind[:120]
    row: list[str | datetime] = [key, kind, notification.told_at, clock.machine_now(), payload]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, row)
            is_new = bool(cursor.rowcount)
        if is_new and kind not in INFORMS:
            _keep_waiting(key, kind, place)
    return is_new


def _keep_waiting(key: str, kind: str, place: str) -> None:
    open_stuck(
        source=SubsStuckEvent.Source.BRAINTREE,
        external_id=key,
        kind=kind,
        reason=SubsStuckEvent.Reason.HANDLER_ERROR if place else SubsStuckEvent.Reason.NO_HANDLER,
        signature=place or kind,
        customer_reference="",
        now=clock.now(),
    )
