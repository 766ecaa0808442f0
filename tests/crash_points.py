"""
Crash points: every place at which a process may die, found by running, and a death at each of them.

A boundary lies before and after each commit (a transaction's end, or a writing statement outside any) and before and
after each request that leaves the house. Inside a transaction there is none: PostgreSQL makes it all or nothing.
The boundaries of an act are numbered and named by running it once; a new one can't be forgotten.

    names = boundaries(act)                    # a dry run
    raise_at(act, 3)                           # an error there
    kill_at(act, 3)                            # SIGKILL there, in a process forked for it
    settle(later=timedelta(minutes=10))        # what the workers do afterwards
"""

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx
import requests
from django.db import connection, connections, transaction

from accounts.claim import LEASE_SECONDS
from config import clock
from config.passing_time import SWEEPS

ROOT = Path(__file__).resolve().parent.parent
# What stands between an act and the boundary it runs into, and names nothing.
TRANSPARENT = {"accounts.lock", "accounts.claim", "accounts.sweep", "billing.cfstripe.client"}
_WRITES = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s", re.IGNORECASE)
_ID = re.compile(r"/(?:[a-z]+_[A-Za-z0-9]{6,}|[0-9a-f]{32})")
NOT_REACHED = 3

Act = Callable[[], object]
Strike = Callable[[int, str], None]


class Struck(Exception):
    """The error that happens at a boundary."""


@contextmanager
def watching(strike: Strike) -> Iterator[list[str]]:
    """Call `strike` at each boundary with its number, from 0, and its name; yield the names of those that came by."""
    names: list[str] = []

    def boundary(name: str) -> None:
        names.append(name)
        strike(len(names) - 1, name)

    @contextmanager
    def around(name: str) -> Iterator[None]:
        boundary(f"before {name}")
        yield
        boundary(f"after {name}")

    exit_before, request_before, send_before = transaction.Atomic.__exit__, requests.Session.request, httpx.Client.send

    def exit_watched(block: transaction.Atomic, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        blocks = transaction.get_connection(block.using).atomic_blocks
        is_commit = exc_type is None and len(blocks) == 1 and not transaction.get_connection(block.using).needs_rollback
        if not is_commit:
            exit_before(block, exc_type, exc_value, traceback)
            return
        name = f"the commit of {_where()}"
        try:
            boundary(f"before {name}")
        except Struck as error:
            exit_before(block, Struck, error, error.__traceback__)
            raise
        exit_before(block, exc_type, exc_value, traceback)
        boundary(f"after {name}")

    def execute_watched(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if connection.in_atomic_block or not _WRITES.search(sql):
            return execute(sql, params, many, context)
        with around(f"the commit of {_where()}"):
            return execute(sql, params, many, context)

    def request_watched(session: requests.Session, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        with around(f"{method.upper()} {_path(url)}"):
            return request_before(session, method, url, *args, **kwargs)

    def send_watched(client: httpx.Client, request: httpx.Request, **kwargs: Any) -> Any:
        with around(f"{request.method} {_path(str(request.url))}"):
            return send_before(client, request, **kwargs)

    with (
        patch.object(transaction.Atomic, "__exit__", exit_watched),
        patch.object(requests.Session, "request", request_watched),
        patch.object(httpx.Client, "send", send_watched),
        connection.execute_wrapper(execute_watched),
    ):
        yield names


def boundaries(act: Act) -> list[str]:
    """Run an act to its end and return the names of the boundaries on its way, in order."""
    with watching(lambda _number, _name: None) as names:
        act()
    return names


def raise_at(act: Act, number: int) -> str:
    """
    Run an act with an error at one boundary, and return the boundary's name.

    :raises AssertionError: it was not reached.
    """

    def strike(at: int, name: str) -> None:
        if at == number:
            raise Struck(name)

    # The error itself, or what the act made of it: what is left behind is looked at, not what was raised.
    with watching(strike) as names, suppress(Exception):
        act()
    assert len(names) > number, f"boundary {number} was not reached; there were {names}"
    return names[number]


def kill_at(act: Act, number: int) -> None:
    """
    Run an act in a process of its own that is killed at one boundary, and wait until the database has noticed.

    :raises AssertionError: it was not reached.
    """
    connections.close_all()
    before = _sessions()
    connections.close_all()
    child = os.fork()
    if child == 0:
        _die_at(act, number)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"boundary {number} was not reached: exit {os.WEXITSTATUS(status)}"
    give_up_at = time.monotonic() + 10
    while _sessions() - before - {_own_session()}:
        assert time.monotonic() < give_up_at, "the database still has sessions of the process that was killed"


@contextmanager
def leases_run_out() -> Iterator[None]:
    """Let it be later by the clock of the machine, so that whoever holds a row by lease holds it no longer."""
    at = clock.machine_now
    with patch.object(clock, "machine_now", lambda: at() + timedelta(seconds=LEASE_SECONDS + 1)):
        yield


def settle(*, later: timedelta = timedelta(minutes=10)) -> None:
    """Let the workers do all that is due so much later, until nothing is left to do then."""
    now = clock.now() + later
    for _ in range(100):
        if not sum(sweep(now=now) for sweep in SWEEPS):
            return
    raise AssertionError("the workers never came to rest")


def _die_at(act: Act, number: int) -> None:
    """The child's whole life. Nothing of the test run's may be done in it, so it never returns."""

    def strike(at: int, _name: str) -> None:
        if at == number:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        with watching(strike):
            act()
    finally:
        os._exit(NOT_REACHED)


def _sessions() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return {pid for (pid,) in cursor.fetchall()}


def _own_session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _where() -> str:
    """Return the function of ours in which the boundary lies, as `module.function`."""
    frame = sys._getframe(1)
    while frame := frame.f_back:  # type: ignore[assignment]
        file, module = Path(frame.f_code.co_filename), str(frame.f_globals.get("__name__"))
        is_ours = file.is_relative_to(ROOT) and ".venv" not in file.parts and not file.is_relative_to(ROOT / "tests")
        if is_ours and module not in TRANSPARENT:
            return f"{module}.{frame.f_code.co_name}"
    return "a test"


def _path(url: str) -> str:
    return _ID.sub("/{id}", urlsplit(url).path)
