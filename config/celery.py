"""
The worker's side: the app, the one way to declare a task, and what runs by itself how often.

Tasks take no arguments that matter: they look for due rows. So one that runs twice, late or never
(while the next one runs) does no harm.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar, cast

import structlog
from celery import Celery, signals
from celery.schedules import crontab
from kombu.entity import Exchange
from kombu.entity import Queue as BrokerQueue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

from config.wake import QUEUE_OF, Queue

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Beat:
    """A task that runs every so many seconds, or each day at an hour (UTC), whether or not anybody woke it."""

    task: str
    every_seconds: float = 86_400
    at_hour: int | None = None

    @property
    def schedule(self) -> float | crontab:
        """Return it as Celery wants it; an hour of the day is kept however often beat is started."""
        return self.every_seconds if self.at_hour is None else crontab(minute="0", hour=str(self.at_hour))


BEATS = (
    Beat("accounts.send_notices",     every_seconds=5),
    Beat("webhooks.fan_out",          every_seconds=1),
    Beat("webhooks.forward",          every_seconds=1),
    Beat("webhooks.deliver_journal",  every_seconds=1),
    Beat("billing.resume_workflows",  every_seconds=1),
    Beat("billing.deliver_journal",   every_seconds=1),
    Beat("billing.advance_invoices",  every_seconds=1),
    Beat("billing.look_up_attempts",  every_seconds=10),
    Beat("billing.charge_domains",    every_seconds=5),
    Beat("billing.consume_domain_events", every_seconds=5),
    Beat("billing.carry_out",         every_seconds=1),
    Beat("billing.expire_credits",    every_seconds=60),
    Beat("dunning.deliver_journal",   every_seconds=1),
    Beat("dunning.recompute_due",     every_seconds=1),
    Beat("dunning.sweep_everybody",   every_seconds=600),
    Beat("billing.apply_scheduled",   every_seconds=10),
    Beat("billing.tidy_items",        every_seconds=10),
    Beat("dunning.carry_out",         every_seconds=1),
    Beat("dunning.watch_processors",  every_seconds=10),
    Beat("webhooks.backfill",         every_seconds=900),
    Beat("billing.follow_left_clocks", every_seconds=10),
    Beat("billing.run_internal_clock", every_seconds=300),
    Beat("billing.find_missed",       every_seconds=60),
    Beat("webhooks.prune",            every_seconds=60),
    Beat("billing.check_ledger",      at_hour=3),
)  # fmt: skip

app = Celery("paygo", broker=settings.REDIS_URL)
app.conf.update(
    # Each with an exchange of its own: by default all would be bound to the default queue's, and share its messages.
    task_queues=[
        BrokerQueue(queue.value, Exchange(queue.value), routing_key=queue.value)  # type: ignore[no-untyped-call]
        for queue in Queue
    ],
    task_default_queue=Queue.OPS.value,
    task_routes={task: {"queue": queue.value} for task, queue in QUEUE_OF.items()},
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A worker waits for its broker as long as it takes; who sends (wake.py) has its own short limits.
    broker_transport_options={"visibility_timeout": 300, "socket_keepalive": True, "health_check_interval": 10},
    beat_schedule={
        beat.task: {
            "task": beat.task,
            "schedule": beat.schedule,
            # Expired by the time a worker that was away sees it: a backlog of "look now" is one look.
            "options": {"queue": QUEUE_OF[beat.task].value, "expires": max(beat.every_seconds, 5)},
        }
        for beat in BEATS
    },
    timezone="UTC",
)
app.autodiscover_tasks()


def task(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """
    Declare a task under `name`, on the queue that `wake.QUEUE_OF` gives it, and return the function unchanged in type.

    Its log lines carry the task's name.

    :raises AssertionError: nobody gave it a queue.
    """
    assert name in QUEUE_OF, f"{name} has no queue: give it one in config/wake.py"

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with structlog.contextvars.bound_contextvars(task=name):
                return function(*args, **kwargs)

        return cast("Callable[P, R]", app.task(name=name)(run))

    return declare


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def keep_logging(**_: object) -> None:
    """Leave logging as Django's settings made it: a receiver is what keeps Celery from replacing it."""
