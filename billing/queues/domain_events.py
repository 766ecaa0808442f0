"""The registrar's messages: pulled, acted on, and acknowledged once that is committed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import structlog
from django.db import InterfaceError, OperationalError, transaction

from accounts import stuck
from accounts.lock import AccountBusy
from accounts.models import Account, SubsStuckEvent

from ..changes_calculator.request import ChangeRefused
from ..domains import act_on
from ..models.domains import PoisonMessage
from . import client
from .client import Message, QueueUnavailable
from .read_event import BadEvent, read_event

logger = structlog.get_logger()

BATCH = 20
TRIES = 3
AGAIN_SECONDS = 30
# Nobody's fault, and over soon: such a message is put back without being counted as poison.
PASSING = (AccountBusy, ChangeRefused, OperationalError, InterfaceError)


@dataclass(slots=True)
class Sorted:
    """What is to be said of a batch's messages."""

    done: list[Message] = field(default_factory=list)
    again: list[tuple[Message, int]] = field(default_factory=list)


def consume_due(*, now: datetime, limit: int = BATCH) -> int:
    """
    Take up to `limit` messages from the queue and act on them; return how many there were.

    Each is committed before it is acknowledged, so one that is delivered again finds itself done. One that fails is
    put back; at the third time it is kept aside as stuck, with its body. A silent queue is asked again later.
    """
    if not client.is_configured():
        return 0
    try:
        messages = client.pull(limit=limit)
        if messages:
            verdict = _act_on_all(messages, now=now)
            client.settle(done=verdict.done, again=verdict.again)
    except QueueUnavailable as error:
        logger.warning("queue.unavailable", error=str(error))
        return 0
    return len(messages)


def replay_poison(ids: Sequence[str], *, now: datetime) -> tuple[list[str], list[str]]:
    """Act on messages that are kept aside, all or those of these ids; return who worked, and who did not."""
    kept = PoisonMessage.objects.filter(pk__in=ids) if ids else PoisonMessage.objects.all()
    worked, failed = [], []
    for poison in kept.order_by("kept_at", "pk"):
        try:
            act_on(read_event(poison.body), now=now)
        except (BadEvent, Account.DoesNotExist, *PASSING) as error:
            logger.warning("queue.still_stuck", message=poison.pk, error=f"{type(error).__name__}: {error}")
            failed.append(poison.pk)
            continue
        with transaction.atomic():
            items = SubsStuckEvent.objects.filter(source=SubsStuckEvent.Source.QUEUE, external_id=poison.pk)
            stuck.release_stuck(list(items), now=now)
            PoisonMessage.objects.filter(pk=poison.pk).delete()
        worked.append(poison.pk)
    return worked, failed


def _act_on_all(messages: Sequence[Message], *, now: datetime) -> Sorted:
    verdict = Sorted()
    for message in messages:
        try:
            act_on(read_event(message.body), now=now)
        except PASSING as error:
            logger.info("queue.put_back", message=message.id, error=type(error).__name__)
            verdict.again.append((message, AGAIN_SECONDS))
        except Exception as error:  # noqa: BLE001  one message that can't be dealt with must not stop the others
            logger.error("queue.failed", message=message.id, error=type(error).__name__, attempts=message.attempts)
            if message.attempts < TRIES:
                verdict.again.append((message, AGAIN_SECONDS))
                continue
            _keep_aside(message, error, now=now)
            verdict.done.append(message)
        else:
            verdict.done.append(message)
    return verdict


def _keep_aside(message: Message, error: Exception, *, now: datetime) -> None:
    """Keep a message that nobody can act on, with why; it is not delivered again."""
    try:
        event = read_event(message.body)
        external_id, kind = event.id, f"domain.{event.kind.value}"
    except BadEvent:
        external_id, kind = f"sha256:{sha256(message.body.encode()).hexdigest()[:32]}", "domain.unreadable"
    with transaction.atomic():
        PoisonMessage.objects.update_or_create(id=external_id, defaults={"body": message.body, "kept_at": now})
        stuck.open_stuck(
            source=SubsStuckEvent.Source.QUEUE,
            external_id=external_id,
            kind=kind,
            reason=SubsStuckEvent.Reason.RETRIES_EXHAUSTED,
            signature=f"{type(error).__name__}: {error}"[:200],
            customer_reference="",
            now=now,
        )
