"""Two workers of the pipe as processes of their own, one of which is killed again and again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from django.conf import settings

from accounts.models import JournalDelivery
from tests.source import ROOT
from webhooks.models import StripeEvent

# What the tasks of the pipe do and those that act on the journal, the brain too, as often as beat would have it done.
WORKER = """
import django, time; django.setup()
from billing.deliveries import deliver_due as deliver_to_billing
from config import clock
from dunning.deliveries import deliver_due as deliver_to_brain
from webhooks.fanout import fan_out_due
from webhooks.forwarding import forward_due
from webhooks.release import deliver_due as deliver_to_pipe
print("ready", flush=True)
while True:
    while forward_due(now=clock.now(), limit=20):
        continue
    now = clock.now()
    if not deliver_to_billing(now=now) + deliver_to_brain(now=now) + deliver_to_pipe(now=now) + fan_out_due(now=now):
        time.sleep(0.02)
"""


def start(bootstrap: str) -> subprocess.Popen[bytes]:
    """Start a worker that finds the work by itself: nothing is sent to it. It tells services by Kafka."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "KAFKA_BOOTSTRAP": bootstrap}
    return subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def _wait_until_ready(worker: subprocess.Popen[bytes]) -> None:
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"


@contextmanager
def two_workers(bootstrap: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    workers = [start(bootstrap), start(bootstrap)]
    try:
        for worker in workers:
            _wait_until_ready(worker)
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def drain(
    event_ids: list[str], account_ids: list[str], *, to: str, kill_every_seconds: float, give_up_seconds: float
) -> int:
    """
    Have two workers deal with the events and tell a Kafka (`to`) of them, one killed every few seconds, the broker
    emptied twice, until no event is left and no delivery of these accounts. Returns how often one was killed.
    """
    kills, give_up_at = 0, time.monotonic() + give_up_seconds
    broker = redis.Redis.from_url(settings.REDIS_URL)
    with two_workers(to) as workers:
        next_kill_at = time.monotonic() + kill_every_seconds
        while left := _left(event_ids, account_ids):
            assert time.monotonic() < give_up_at, f"{left} events or deliveries are left"
            time.sleep(0.05)
            if time.monotonic() > next_kill_at:
                os.kill(workers[0].pid, signal.SIGKILL)
                workers[0].wait()
                workers[0] = start(to)
                _wait_until_ready(workers[0])
                kills += 1
                if kills <= 2:
                    broker.flushdb()
                next_kill_at = time.monotonic() + kill_every_seconds
    return kills


def _left(event_ids: list[str], account_ids: list[str]) -> int:
    return (
        StripeEvent.objects.filter(pk__in=event_ids, processed_at=None).count()
        or JournalDelivery.objects.filter(account_id__in=account_ids).count()
    )
