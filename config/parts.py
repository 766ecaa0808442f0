"""PostgreSQL, Valkey and the sandbox of one data directory: started, watched and stopped together."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from . import credentials, guard, ownership
from .embedded import DURABLE, Postgres, Valkey
from .ownership import Lock, RunningParts
from .schema import ROOT
from .supervise import MARK, CannotStart, Child, Program, free_port, kill_all, processes_in, processes_with_mark

POSTGRES_PORT = 15432
VALKEY_PORT = 16379
SANDBOX_PORT = 12111
READY_SECONDS = 60
SANDBOX_KEY = "sk_test_sandbox"

# A part that the environment names is somebody else's: it is used, and none of ours is started.
_GIVEN_BY = {"PostgreSQL": "DATABASE_URL", "Valkey": "REDIS_URL", "sandbox": "STRIPE_API_KEY"}


class Parts:
    """
    What runs for one data directory. Whoever makes one owns the directory until it is closed.

    `environment` is what a process needs to use the parts; it is also what commands read in `parts.json`.
    """

    def __init__(self, data_dir: Path, *, owner: str, lock: Lock) -> None:
        """
        Make a data directory ours: clear away what a killed run left, and set a guard over what we start.

        `owner` is "up" or "command"; `lock` is the directory's owner lock, held by the caller.
        """
        self.data_dir = data_dir
        self.owner = owner
        self.lock = lock
        self.mark = str(data_dir)
        self.children: list[Child] = []
        ownership.withdraw(data_dir)
        self.secrets = credentials.load(data_dir)
        self.environment: dict[str, str] = {
            "PAYGO_DATA_DIR": str(data_dir),
            "SECRET_KEY": os.environ.get("SECRET_KEY") or self.secrets["secret_key"],
            "STRIPE_WEBHOOK_SECRETS": os.environ.get("STRIPE_WEBHOOK_SECRETS") or self.secrets["webhook_secret"],
        }
        postgres_directory = data_dir / "postgres"
        kill_all(lambda: [*processes_with_mark(self.mark), *processes_in(postgres_directory)])
        self.guard = guard.start(self.mark, postgres_directory)

    def start(self, *, is_cancelled: Callable[[], bool] = lambda: False) -> None:
        """
        Start the parts that the environment does not give, wait until they answer, and publish how to reach them.

        :raises CannotStart: one of them does not come up; with why. What did come up is left to `stop`.
        """
        postgres = None
        if not _is_given("PostgreSQL"):
            postgres = Postgres(
                directory=self.data_dir / "postgres",
                port=free_port(POSTGRES_PORT),
                password=self.secrets["postgres_password"],
                log=self.log("postgres"),
                mark=self.mark,
                settings=DURABLE,
            )
            self.environment["DATABASE_URL"] = postgres.url()
            self.run(postgres.program())
        if not _is_given("Valkey"):
            valkey = Valkey(
                directory=self.data_dir / "valkey",
                port=free_port(VALKEY_PORT),
                password=self.secrets["valkey_password"],
                log=self.log("valkey"),
                mark=self.mark,
                is_durable=True,
            )
            self.environment |= {"REDIS_URL": valkey.url(0), "CACHE_URL": os.environ.get("CACHE_URL") or valkey.url(1)}
            self.run(valkey.program())
        if not _is_given("sandbox"):
            port = free_port(SANDBOX_PORT)
            self.environment |= {"STRIPE_API_KEY": SANDBOX_KEY, "STRIPE_API_BASE": f"http://127.0.0.1:{port}"}
            self.run(self.sandbox_program(port))
        for child in self.children:
            child.wait_until_ready(seconds=READY_SECONDS, is_cancelled=is_cancelled)
        if postgres and not is_cancelled():
            postgres.create_database()
        self.publish()

    def run(self, program: Program) -> Child:
        """Start a program as one of the children that are watched and stopped with us."""
        child = Child(program)
        self.children.append(child)
        child.start()
        return child

    def publish(self) -> None:
        """Tell commands how to reach the parts, and everybody which processes they are."""
        pids = {child.program.name: child.pid for child in self.children}
        ownership.publish(self.data_dir, RunningParts(os.getpid(), self.owner, self.environment, pids))

    def watch(self, say: Callable[[str], None]) -> None:
        """
        Start again whatever has ended.

        :raises CannotStart: something ends as often as it is started.
        """
        restarted = [child for child in self.children if child.watch(say)]
        if restarted:
            self.publish()

    def stop(self) -> None:
        """Stop everything, the last started first, and let the guard and the directory go. Safe to repeat."""
        while self.children:
            self.children.pop().stop()
        ownership.withdraw(self.data_dir)
        if self.guard.stdin and not self.guard.stdin.closed:
            self.guard.stdin.close()
            self.guard.wait()
            self.lock.release()

    def log(self, name: str) -> Path:
        """Return where the output of a part goes."""
        return self.data_dir / "logs" / f"{name}.log"

    def child_environment(self) -> dict[str, str]:
        """Return the environment of a process of the project that runs for this data directory."""
        return os.environ | self.environment | {
            MARK: self.mark,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
        }  # fmt: skip

    def sandbox_program(self, port: int) -> Program:
        """Return the sandbox's program: a process of its own, that imports nothing of the application."""
        return Program(
            name="sandbox",
            argv=(sys.executable, "-m", "sandbox", "--port", str(port), "--data-dir", str(self.data_dir)),
            log=self.log("sandbox"),
            environment=self.child_environment(),
            is_ready=lambda: answers(f"http://127.0.0.1:{port}/_sandbox/health"),
            directory=ROOT,
        )

    def manage(self, *arguments: str, stdout: int | None = None) -> subprocess.Popen[bytes]:
        """Start a command of the project that uses the parts; what it says goes where we say things, or to `stdout`."""
        return subprocess.Popen(  # noqa: S603  our own command line
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.child_environment(),
            stdout=stdout,
            start_new_session=True,
        )


def answers(url: str, *, timeout_seconds: float = 2.0) -> bool:
    """Say whether a GET of this URL is answered with success."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_seconds):  # noqa: S310  our own address
            return True
    except (urllib.error.URLError, OSError):
        return False


def own(data_dir: Path, *, seconds: float, say_waiting: Callable[[RunningParts | None], None]) -> Lock:
    """
    Return the data directory's owner lock, held; wait while a command that runs the parts for itself has it.

    :raises CannotStart: it is not free in time, or `up` has it, which frees it only when people stop it.
    """
    lock = ownership.owner_lock(data_dir)
    give_up_at = time.monotonic() + seconds
    has_said = False
    while not lock.take_alone():
        running = ownership.published(data_dir)
        if running and running.owner == "up":
            raise CannotStart(
                f"PayGO runs already with the data directory {data_dir} (process {running.owner_pid}). "
                "Stop that one first, or pass --data-dir for another."
            )
        if time.monotonic() > give_up_at:
            raise CannotStart(f"Another process uses the data directory {data_dir} and does not end.")
        if running and not has_said:
            say_waiting(running)
            has_said = True
        time.sleep(0.1)
    return lock


def _is_given(part: str, environment: Mapping[str, str] = os.environ) -> bool:
    return bool(environment.get(_GIVEN_BY[part], "").strip())
