"""The same first stage for Braintree's notifications: keep what is really Braintree's, once."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qs

from django.conf import settings
from django.db import DataError, connection

from billing.braintree.notifications import NotBraintrees, Notification, answer, verify
from config import clock

from .event_filter import Refused, Verdict, check_request, insert_surely, judged

# Bytes. A notification tells of one object.
LARGEST_NOTIFICATION = 256 * 1024


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
    try:
        notification = verify(signature, payload)
    except NotBraintrees:
        raise Refused(Verdict.BADLY_SIGNED) from None
    except ValueError:
        raise Refused(Verdict.UNREADABLE) from None
    try:
        is_new = insert_surely(lambda: _insert(notification, payload))
    except DataError:
        return Verdict.UNREADABLE
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


def _insert(notification: Notification, payload: str) -> bool:
    key = hashlib.sha256(payload.strip().encode()).hexdigest()
    row: list[str | datetime] = [key, notification.kind[:120], notification.told_at, clock.machine_now(), payload]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, row)
        return bool(cursor.rowcount)
