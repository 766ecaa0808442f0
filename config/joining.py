"""How a command finds the parts it needs: it joins those that run, or has them started for its own time."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from . import environment, ownership, schema
from .ownership import Lock, RunningParts
from .schema import ROOT
from .supervise import CannotStart

# Commands that touch neither the database nor Stripe, or bring the parts themselves.
WITHOUT_PARTS = frozenset({
    "", "--help", "-h", "--version", "help", "version", "check", "makemigrations", "spectacular", "collectstatic",
    "describe_events", "findstatic", "diffsettings", "makemessages", "compilemessages", "startapp", "startproject",
    "up",
})  # fmt: skip
# Commands that are about the schema itself, or bring it up to date.
WITHOUT_SCHEMA = frozenset({
    "migrate", "prepare", "showmigrations", "sqlmigrate", "squashmigrations", "lintmigrations", "dbshell",
})  # fmt: skip
JOIN_SECONDS = 120.0

# Held until the process ends: as long as it is, nobody stops the parts.
_use: Lock | None = None


def join_parts(argv: list[str], given: Mapping[str, str] = os.environ) -> None:
    """
    Put into the environment how to reach the parts that the command in `argv` needs, starting them if need be.

    Does nothing for a command that needs none, where the environment names a database, and in production.
    Says what it does on standard error; standard output belongs to the command.

    :raises CannotStart: the parts cannot be started, or the schema cannot be brought up to date.
    """
    command = argv[1] if len(argv) > 1 else ""
    is_about_help = any(word in {"--help", "-h", "--version"} for word in argv[2:])
    if command in WITHOUT_PARTS or is_about_help or given.get("DATABASE_URL", "").strip():
        return
    if environment.choice("PAYGO_PROFILE", ("local", "production"), default="local") == "production":
        return
    data_dir = prepared_directory(environment.directory("PAYGO_DATA_DIR", default=ROOT / ".local"))
    running = _use_parts(data_dir)
    os.environ.update({name: value for name, value in running.environment.items() if not given.get(name, "").strip()})
    if command not in WITHOUT_SCHEMA and not schema.is_current(os.environ["DATABASE_URL"]):
        _prepare()


def prepared_directory(data_dir: Path) -> Path:
    """
    Make the data directory if there is none, closed to others, and return its true path.

    :raises CannotStart: it cannot be made or written.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"The data directory {data_dir} cannot be made: {error.strerror}.") from error
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        raise CannotStart(f"The data directory {data_dir} cannot be written by this user; set PAYGO_DATA_DIR.")
    return data_dir.resolve()


def _use_parts(data_dir: Path) -> RunningParts:
    global _use  # noqa: PLW0603  what keeps the parts alive is the process's own life
    _use = ownership.users_lock(data_dir)
    _use.take_shared()  # waits while the last user's parts are being stopped
    owner = ownership.owner_lock(data_dir)
    give_up_at = time.monotonic() + JOIN_SECONDS
    refusal = ""
    while time.monotonic() < give_up_at:
        if not owner.is_held_alone():
            refusal = _start_keeper(data_dir)
        running = ownership.published(data_dir)
        if running and owner.is_held_alone():
            return running
        if refusal and not owner.is_held_alone():
            raise CannotStart(refusal)
        time.sleep(0.1)
    raise CannotStart(f"The parts of {data_dir} do not come up; see {data_dir / 'logs'}.")


def _start_keeper(data_dir: Path) -> str:
    """Start what runs the parts for us, and wait until it is ready. Return what it refused with, "" if it did not."""
    _say("Starting PostgreSQL, Valkey and the sandbox for this command …")
    (data_dir / "logs").mkdir(exist_ok=True)
    with (data_dir / "logs" / "keep_parts.log").open("ab") as log:
        keeper = subprocess.Popen(  # noqa: S603  our own command line
            [sys.executable, "-m", "config.keep_parts", str(data_dir)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            text=True,
        )
    assert keeper.stdout is not None
    with keeper.stdout as told:
        first_line = told.readline().strip()
    keeper.returncode = 0  # it is not ours to wait for: it outlives this command
    return "" if first_line == "ready" else first_line or f"The parts did not start; see {data_dir / 'logs'}."


def _prepare() -> None:
    """
    Bring the schema and the catalogue up to date, in a process of its own: its settings are made before ours.

    :raises CannotStart: that failed; what it said is on standard error.
    """
    _say("Bringing the database up to date …")
    done = subprocess.run([sys.executable, "manage.py", "prepare"], cwd=ROOT, stdout=sys.stderr, check=False)
    if done.returncode:
        raise CannotStart("The database could not be brought up to date.")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201  before Django, so before any command's own stderr
