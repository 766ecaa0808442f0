"""Waking workers: once, after the commit, and never at the price of the request."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import transaction

from config import wake
from config.embedded import Valkey
from config.supervise import Child, free_port
from tests.counting import counted

TASK, QUEUE = "webhooks.forward", "pipe"


def lost() -> float:
    return counted("paygo_wakes_lost_total", task=TASK)


@pytest.fixture(autouse=True)
def a_process_that_has_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake, "_publisher", None)
    monkeypatch.setattr(wake, "_last_sent", {})
    monkeypatch.setattr(wake, "_waiting", set())
    monkeypatch.setattr(wake, "_broken_until", 0.0)
    monkeypatch.setattr(wake, "PAUSE_SECONDS", 0.0)
    wake.LOST.clear()


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    """This worker's broker, with empty queues."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.delete(*wake.Queue)
    yield client
    client.delete(*wake.Queue)
    client.close()


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[tuple[Child, str]]:
    """A server of this test's own, which it may kill, and its address."""
    server = Valkey(
        directory=tmp_path / "valkey",
        port=free_port(29000),
        password="secret",
        log=tmp_path / "log",
        mark=str(tmp_path),
        is_durable=False,
    )
    child = Child(server.program())
    child.start()
    child.wait_until_ready(seconds=10)
    yield child, server.url()
    child.stop()


def eventually(holds: Callable[[], bool]) -> bool:
    give_up_at = time.monotonic() + 20
    while not holds() and time.monotonic() < give_up_at:
        time.sleep(0.005)
    return holds()


def test_nobody_is_woken_before_the_commit(story, broker):
    with transaction.atomic():
        wake.wake(TASK)
        before = broker.llen(QUEUE)

    assert (before, broker.llen(QUEUE)) == (0, 1)
    assert [queue for queue in wake.Queue if broker.llen(queue)] == [QUEUE]


def test_nobody_is_woken_for_what_was_rolled_back(story, broker):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        wake.wake(TASK)
        raise ZeroDivisionError

    assert broker.llen(QUEUE) == 0


def test_many_wakes_are_two_messages_one_at_once_and_one_for_what_came_after(story, broker):
    for _ in range(10):
        wake.wake(TASK)
    at_once = broker.llen(QUEUE)

    assert at_once == 1
    assert eventually(lambda: broker.llen(QUEUE) == 2)
    assert wake._waiting == set()


def test_a_task_nobody_declared_cannot_be_woken(story):
    with pytest.raises(KeyError):
        wake.wake("webhooks.forwrad")


def test_a_dead_broker_is_counted_and_costs_little(story, settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port(29500)}/0"
    started_at = time.monotonic()

    wake.wake(TASK)

    assert lost() == 1
    assert time.monotonic() - started_at < 1.0


def test_while_a_broker_is_known_to_be_dead_nobody_tries(story, settings, monkeypatch):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port(29500)}/0"
    monkeypatch.setattr(wake, "PAUSE_SECONDS", 60.0)
    monkeypatch.setattr(wake, "WINDOW_SECONDS", 0.0)
    wake.wake(TASK)
    started_at = time.monotonic()

    for _ in range(100):
        wake.wake(TASK)

    assert lost() == 101
    assert time.monotonic() - started_at < 0.2


def test_a_broker_that_came_back_is_used_again(story, settings, own_valkey, monkeypatch):
    valkey, settings.REDIS_URL = own_valkey
    monkeypatch.setattr(wake, "WINDOW_SECONDS", 0.0)
    wake.wake(TASK)

    os.kill(valkey.pid, signal.SIGKILL)
    valkey.process.wait()
    wake.wake(TASK)
    lost_while_dead = lost()
    while not valkey.watch(lambda _: None):
        time.sleep(0.01)
    valkey.wait_until_ready(seconds=10)
    wake.wake(TASK)

    assert lost_while_dead == 1
    assert lost() == 1
    assert redis.Redis.from_url(settings.REDIS_URL).llen(QUEUE) == 1
