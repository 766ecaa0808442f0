"""
Waking workers. What must happen is a row; a message only says "look now", and may be lost.

A lost message costs a second: the beat table (`config/celery.py`) sends the same tasks regularly.
"""

import threading
import time
from enum import StrEnum
from typing import Any

import structlog
from celery import Celery
from django.conf import settings
from django.db import transaction
from prometheus_client import Counter

logger = structlog.get_logger()

WINDOW_SECONDS = 0.05
# After a failed publish nobody tries for so long, so that a dead broker does not slow every request.
PAUSE_SECONDS = 1.0
# Short, because a request waits for it; the workers' own connections have no such limits.
PUBLISHER_TRANSPORT = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5, "max_retries": 0}


class Queue(StrEnum):
    """The worker's queues; production runs as many workers on each as it needs."""

    PIPE = "pipe"
    DUNNING = "dunning"
    FANOUT = "fanout"
    OPS = "ops"


# Every task, and the queue it runs on. A task that is not here can be neither declared nor woken.
QUEUE_OF: dict[str, Queue] = {
    "accounts.send_notices":     Queue.OPS,
    "billing.advance_invoices":  Queue.OPS,
    "billing.charge_domains":    Queue.OPS,
    "billing.check_ledger":      Queue.OPS,
    "billing.consume_domain_events": Queue.OPS,
    "billing.apply_scheduled":   Queue.OPS,
    "billing.carry_out":         Queue.OPS,
    "billing.deliver_journal":   Queue.OPS,
    "billing.follow_left_clocks": Queue.OPS,
    "billing.expire_credits":    Queue.OPS,
    "billing.find_missed":       Queue.OPS,
    "billing.look_up_attempts":  Queue.OPS,
    "billing.run_internal_clock": Queue.OPS,
    "billing.resume_workflows":  Queue.OPS,
    "billing.tidy_items":        Queue.OPS,
    "dunning.carry_out":         Queue.DUNNING,
    "dunning.watch_processors":  Queue.DUNNING,
    "dunning.deliver_journal":   Queue.DUNNING,
    "dunning.recompute_due":     Queue.DUNNING,
    "dunning.sweep_everybody":   Queue.DUNNING,
    "webhooks.backfill":         Queue.PIPE,
    "webhooks.deliver_journal":  Queue.PIPE,
    "webhooks.fan_out":          Queue.FANOUT,
    "webhooks.forward":          Queue.PIPE,
    "webhooks.prune":            Queue.OPS,
}  # fmt: skip

LOST = Counter("paygo_wakes_lost_total", "Messages that were not sent: the broker could not be reached.", ["task"])

_guard = threading.Lock()
_last_sent: dict[str, float] = {}
_waiting: set[str] = set()
_broken_until = 0.0
_publisher: Celery | None = None


def wake(task: str) -> None:
    """
    Have a worker run `task` soon after the current transaction commits (now, if there is none).

    Many calls in WINDOW_SECONDS send two messages at most: one at once, one at the window's end. Never
    raises for a broker that cannot be reached: that is counted, and beat sends the task anyway.

    :raises KeyError: the task is not in QUEUE_OF.
    """
    queue = QUEUE_OF[task]
    transaction.on_commit(lambda: _send_once(task, queue))


def _send_once(task: str, queue: Queue) -> None:
    """Send now if the window since the last message is over, else once when it will be."""
    with _guard:
        left_seconds = _last_sent.get(task, 0.0) + WINDOW_SECONDS - time.monotonic()
        if left_seconds > 0:
            if task not in _waiting:
                _waiting.add(task)
                timer = threading.Timer(left_seconds, _send_late, (task, queue))
                timer.daemon = True
                timer.start()
            return
        _last_sent[task] = time.monotonic()
    _send(task, queue)


def _send_late(task: str, queue: Queue) -> None:
    with _guard:
        _waiting.discard(task)
        _last_sent[task] = time.monotonic()
    _send(task, queue)


def _send(task: str, queue: Queue) -> None:
    global _broken_until  # noqa: PLW0603  one circuit per process
    if time.monotonic() < _broken_until:
        LOST.labels(task).inc()
        return
    try:
        _app().send_task(task, queue=queue.value, retry=False, ignore_result=True, expires=60)
    except Exception as error:  # noqa: BLE001  the fact is committed: whatever the broker's client raises, it stays so
        LOST.labels(task).inc()
        _broken_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("wake.lost", task=task, error=type(error).__name__)


def _app() -> Celery:
    """Return this process's publisher: it knows no tasks, only how to send a name without waiting."""
    global _publisher  # noqa: PLW0603  made at first use, after a worker has forked
    if _publisher is None:
        options: dict[str, Any] = {"set_as_current": False, "fixups": []}
        _publisher = Celery("paygo-wake", broker=settings.REDIS_URL, **options)
        _publisher.conf.update(
            broker_transport_options=PUBLISHER_TRANSPORT,
            broker_connection_timeout=0.5,
            broker_connection_retry=False,
            task_publish_retry=False,
        )
    return _publisher
