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

from tests.source import ROOT
from webhooks.models import StripeEvent

# What `webhooks.forward` does, as often as beat would have it done.
WORKER = """
import django, time; django.setup()
from config import clock
from webhooks.forwarding import forward_due
print("ready", flush=True)
while True:
    while forward_due(now=clock.now(), limit=20):
        continue
    time.sleep(0.02)
"""


def start() -> subprocess.Popen[bytes]:
    """Start a worker that finds the work by itself: nothing is sent to it."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert worker.stdout is not None
    return worker


@contextmanager
def two_workers() -> Iterator[list[subprocess.Popen[bytes]]]:
    workers = [start(), start()]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"ready\n"
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def drain(event_ids: list[str], *, kill_every_seconds: float, give_up_seconds: float) -> int:
    """
    Have two workers deal with the events, one of them killed every few seconds, the broker emptied twice.

    Returns how often one was killed.
    """
    kills, give_up_at = 0, time.monotonic() + give_up_seconds
    broker = redis.Redis.from_url(settings.REDIS_URL)
    with two_workers() as workers:
        next_kill_at = time.monotonic() + kill_every_seconds
        while left := StripeEvent.objects.filter(pk__in=event_ids, processed_at=None).count():
            assert time.monotonic() < give_up_at, f"{left} events are left"
            time.sleep(0.02)
            if time.monotonic() > next_kill_at:
                os.kill(workers[0].pid, signal.SIGKILL)
                workers[0].wait()
                workers[0] = start()
                kills += 1
                if kills <= 2:
                    broker.flushdb()
                next_kill_at = time.monotonic() + kill_every_seconds
    return kills
