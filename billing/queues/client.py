"""The only door to Cloudflare Queues: messages are pulled under a lease, then acknowledged or put back."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import cloudflare
from django.conf import settings

from ..network import refuse_in_transaction

TIMEOUT_SECONDS = 20
RETRIES = 2
# Longer than a batch takes to be dealt with; what is not acknowledged by then is delivered again.
LEASE_MS = 120_000


class QueueUnavailable(Exception):
    """The queue did not answer; what it holds is not lost."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message under our lease. `attempts` counts its deliveries, this one too."""

    id: str
    lease_id: str
    body: str
    attempts: int


def is_configured() -> bool:
    """Whether there is a queue to read."""
    return bool(settings.CF_QUEUES_QUEUE_ID)


def pull(*, limit: int) -> list[Message]:
    """
    Return up to `limit` messages, the oldest first, leased to us for LEASE_MS.

    :raises QueueUnavailable: no answer, or one that makes no sense.
    """
    refuse_in_transaction()
    try:
        pulled = _client().queues.messages.pull(
            settings.CF_QUEUES_QUEUE_ID,
            account_id=settings.CF_QUEUES_ACCOUNT_ID,
            batch_size=limit,
            visibility_timeout_ms=LEASE_MS,
        )
    except cloudflare.CloudflareError as error:
        raise QueueUnavailable(type(error).__name__) from error
    return [
        Message(str(each.id), str(each.lease_id), _text(each.body or "", each.metadata), int(each.attempts or 1))
        for each in (pulled.messages if pulled and pulled.messages else ())
    ]


def settle(*, done: Iterable[Message], again: Iterable[tuple[Message, int]]) -> None:
    """
    Acknowledge what is done, and put the others back for so many seconds each.

    :raises QueueUnavailable: what was not acknowledged is delivered again; nobody minds.
    """
    refuse_in_transaction()
    try:
        _client().queues.messages.ack(
            settings.CF_QUEUES_QUEUE_ID,
            account_id=settings.CF_QUEUES_ACCOUNT_ID,
            acks=[{"lease_id": message.lease_id} for message in done],
            retries=[{"lease_id": message.lease_id, "delay_seconds": seconds} for message, seconds in again],
        )
    except cloudflare.CloudflareError as error:
        raise QueueUnavailable(type(error).__name__) from error


@cache
def _client() -> cloudflare.Cloudflare:
    return cloudflare.Cloudflare(
        api_token=settings.CF_QUEUES_API_TOKEN,
        base_url=settings.CF_QUEUES_API_BASE or None,
        timeout=TIMEOUT_SECONDS,
        max_retries=RETRIES,
    )


def _text(body: str, metadata: object) -> str:
    """JSON and bytes come in base64, text as it is; what can't be read stays as it is, and is nobody's event."""
    kind = metadata.get("CF-Content-Type", "") if isinstance(metadata, dict) else ""
    if kind not in ("json", "bytes"):
        return body
    try:
        return base64.b64decode(body, validate=True).decode()
    except ValueError:
        return body
