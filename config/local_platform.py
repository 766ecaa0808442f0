"""The platform on one machine: its parts, and the three processes of our own that use them."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from . import credentials, ownership
from .parts import READY_SECONDS, SANDBOX_KEY, SANDBOX_PORT, Parts, answers
from .queue_address import make_queue
from .schema import ROOT
from .supervise import CannotStart, Program, free_port, take_port
from .wake import Queue
from .webhook_address import point_webhooks

WEB_PORT = 8000
WEB_WORKERS = 2
# How long commands that use the parts may go on after we were asked to stop.
OTHERS_SECONDS = 10.0


class LocalPlatform:
    """Everything that `up` runs. One object, one run."""

    def __init__(self, parts: Parts, *, say: Callable[[str], None], stop_asked: threading.Event) -> None:
        self.parts = parts
        self.say = say
        self.stop_asked = stop_asked
        self.web_port = 0

    @property
    def url(self) -> str:
        return f"http://localhost:{self.web_port}"

    @property
    def sandbox_url(self) -> str:
        """The sandbox's address, "" where Stripe itself is used."""
        environment = self.parts.child_environment()
        return environment["STRIPE_API_BASE"] if environment.get("STRIPE_API_KEY") == SANDBOX_KEY else ""

    def start(self, *, web_port: int | None, with_demo: bool) -> None:
        """
        Start the parts, bring the database up to date, start our processes, and load demo accounts at the first run.

        Returns early, with less running, when we are asked to stop meanwhile.

        :raises CannotStart: something does not come up, or `web_port` is taken.
        """
        is_cancelled = self.stop_asked.is_set
        self.web_port = self._port(web_port)
        self.say("Starting PostgreSQL, Valkey and the sandbox …")
        # Commands read it too: what they tell customers leads to where this platform serves.
        self.parts.environment["DASHBOARD_URL"] = os.environ.get("DASHBOARD_URL") or f"{self.url}/dashboard"
        self.parts.start(is_cancelled=is_cancelled)
        if self.sandbox_url and not self.sandbox_url.endswith(f":{SANDBOX_PORT}"):
            self.say(f"Port {SANDBOX_PORT} is taken: the sandbox moves on to {self.sandbox_url}.")
        if is_cancelled():
            return
        if self.sandbox_url:
            make_queue(self.sandbox_url)
        self.say("Bringing the database up to date …")
        self._manage("prepare")
        if is_cancelled():
            return
        shutil.rmtree(self._counted, ignore_errors=True)
        self._counted.mkdir()
        self.say("Starting the web server, the worker and beat …")
        web = self.parts.run(self._web())
        self.parts.run(self._worker())
        self.parts.run(self._beat())
        web.wait_until_ready(seconds=READY_SECONDS, is_cancelled=is_cancelled)
        if self.sandbox_url:
            point_webhooks(
                self.sandbox_url,
                api_key=SANDBOX_KEY,
                web_url=f"http://127.0.0.1:{self.web_port}",
                secret=self.parts.environment["STRIPE_WEBHOOK_SECRETS"].split(",")[0],
            )
        self.parts.publish()
        if with_demo and not is_cancelled() and self._wants_demo_accounts():
            self.say("Loading demo accounts …")
            self._load_demo_accounts()

    def stop(self) -> None:
        """Stop our processes, then the parts once no command uses them any more (or OTHERS_SECONDS have passed)."""
        for child in reversed(self.parts.children):
            if child.program.name in {"web server", "worker", "beat"}:
                child.stop()
        users = ownership.users_lock(self.parts.data_dir)
        give_up_at = time.monotonic() + OTHERS_SECONDS
        has_said = False
        while not users.take_alone() and time.monotonic() < give_up_at:
            if not has_said:
                self.say("Waiting for a command that uses the data …")
                has_said = True
            time.sleep(0.1)
        self.parts.stop()

    @property
    def _counted(self) -> Path:
        """Where our processes keep what they count; Prometheus expects it to begin anew with them."""
        return self.parts.data_dir / "metrics"

    def _port(self, asked_for: int | None) -> int:
        if asked_for is None:
            port = free_port(WEB_PORT)
            if port != WEB_PORT:
                self.say(f"Port {WEB_PORT} is taken: the web server moves on to {port}.")
            return port
        if not 1 <= asked_for <= 65535:
            raise CannotStart(f"--port {asked_for} is no port; it must be 1 to 65535.")
        if not take_port(asked_for):
            raise CannotStart(f"Port {asked_for} is taken; pass another --port, or none to have one chosen.")
        return asked_for

    def _web(self) -> Program:
        """granian over WSGI; a worker that dies is replaced by its main process, that one by us."""
        return self._ours(
            "web server",
            *("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.web_port), "--no-ws"),
            *("--workers", str(WEB_WORKERS), "--blocking-threads", "4", "--log-level", "warning"),
            *("--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "5"),
            "config.wsgi:application",
            is_ready=lambda: answers(f"http://127.0.0.1:{self.web_port}/readyz", timeout_seconds=5),
        )

    def _worker(self) -> Program:
        """One worker for all queues."""
        return self._ours(
            "worker",
            *("celery", "-A", "config.celery", "worker", "--queues", ",".join(queue.value for queue in Queue)),
            *("--concurrency", "2", "--loglevel", "warning"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        )

    def _beat(self) -> Program:
        """Beat keeps nothing on disk: every row of its table is an interval, and a lost tick costs a second."""
        return self._ours(
            "beat",
            *("celery", "-A", "config.celery", "beat", "--scheduler", "celery.beat:Scheduler", "--loglevel", "warning"),
        )

    def _ours(self, name: str, module: str, *arguments: str, is_ready: Callable[[], bool] = lambda: True) -> Program:
        return Program(
            name=name,
            argv=(sys.executable, "-m", module, *arguments),
            log=self.parts.log(name.replace(" ", "_")),
            environment=self.parts.child_environment() | {"PROMETHEUS_MULTIPROC_DIR": str(self._counted)},
            is_ready=is_ready,
            directory=ROOT,
        )

    def _manage(self, *arguments: str, stdout: int | None = None) -> bytes | None:
        """
        Run a command of the project to its end and return what it wrote; None if we were asked to stop before.

        :raises CannotStart: it failed.
        """
        process = self.parts.manage(*arguments, stdout=stdout)
        while True:
            try:
                written, _ = process.communicate(timeout=0.1)
                break
            except subprocess.TimeoutExpired:
                if self.stop_asked.is_set():
                    process.terminate()
        if self.stop_asked.is_set():
            return None
        if process.returncode:
            raise CannotStart(f"`manage.py {arguments[0]}` failed; what it said stands above.")
        return written or b""

    def _wants_demo_accounts(self) -> bool:
        """Say whether this is the first run, or the loading of an earlier one was interrupted."""
        if "demo_accounts" in self.parts.secrets:
            return self.parts.secrets["demo_accounts"] is None
        with psycopg.connect(self.parts.child_environment()["DATABASE_URL"]) as connection:
            return connection.execute("SELECT 1 FROM account LIMIT 1").fetchone() is None

    def _load_demo_accounts(self) -> None:
        """
        Load them by their own command, and keep what it says of them: tokens can be read only once.

        :raises CannotStart: it failed; it is tried again at the next start.
        """
        self.parts.secrets = credentials.keep(self.parts.data_dir, {"demo_accounts": None})
        said = self._manage("load_demo_accounts", "--json", stdout=subprocess.PIPE)
        if said is not None:
            demo: list[dict[str, Any]] = json.loads(said)
            self.parts.secrets = credentials.keep(self.parts.data_dir, {"demo_accounts": demo})
