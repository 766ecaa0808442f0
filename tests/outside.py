"""The sandbox as tests use it: its process, its control calls, its clock."""

import json
import os
import signal
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from config.supervise import MARK, Child, Program
from tests import parts


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox; `str(sandbox)` is its address."""

    url: str
    child: Child

    def __str__(self) -> str:
        return self.url

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """
        Send a control call (`/_sandbox/…`), or one without a body to Stripe's API, and return its decoded answer.

        :raises AssertionError: it answered with an error; with what it said.
        """
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {os.environ['STRIPE_API_KEY']}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = response.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return json.loads(answer) if answer else None

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.call("POST", path, body)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self.call("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)


@dataclass(frozen=True, slots=True)
class BusinessClock:
    """
    This worker's business clock. It goes forward only, across tests too: a test that needs a certain date counts
    from `now()`.
    """

    sandbox: Sandbox

    def now(self) -> datetime:
        """Return business time as the application sees it."""
        from config import clock

        return clock.now()

    def freeze(self, at: datetime | None = None) -> datetime:
        """Let the clock stand still at `at`, or now; what was due by then happens. Return the time it stands at."""
        at = at or self.now()
        self.sandbox.post("/_sandbox/clock", {"frozen_at": at.timestamp()})
        return self.now()

    def advance(self, **duration: float) -> datetime:
        """Freeze the clock so much later (the arguments of `timedelta`), and return the new time."""
        return self.freeze(self.now() + timedelta(**duration))

    def run_on(self) -> None:
        """Let a clock that stands go on from where it is."""
        ahead_seconds = (self.now() - datetime.now(UTC)).total_seconds()
        self.sandbox.post("/_sandbox/clock", {"offset_seconds": max(ahead_seconds, 0.0) + 1})


def start_sandbox(data_dir: Path) -> Sandbox:
    """Start this worker's sandbox at the port that was reserved for it."""
    port = parts.sandbox_port.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    parts.sandbox_port.close()
    child = Child(
        Program(
            name="sandbox",
            argv=(sys.executable, "-m", "sandbox", "--port", str(port), "--data-dir", str(data_dir)),
            log=data_dir / "sandbox.log",
            environment=os.environ | {MARK: os.environ["PAYGO_TEST_SLOT"]},
            is_ready=lambda: _answers(f"{url}/_sandbox/health"),
            directory=parts.ROOT,
            stop_signal=signal.SIGTERM,
        )
    )
    child.start()
    child.wait_until_ready(seconds=30)
    return Sandbox(url, child)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False
