"""The two commands that do everything: what `up` promises, killed and stopped in every way, and commands beside it."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config import supervise
from tests.parts import ROOT, reserve_port

PARTS = ("PostgreSQL", "Valkey", "sandbox", "web server", "worker", "beat")
SETTINGS = ("DATABASE_URL", "REDIS_URL", "CACHE_URL", "SECRET_KEY", "ALLOWED_HOSTS", "PAYGO_PROFILE", "PAYGO_DATA_DIR")


def environment(**given: str) -> dict[str, str]:
    """Return the environment of somebody who has set nothing but `given`."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    kept = {
        name: value for name, value in kept.items() if not name.startswith(("DJANGO_", "STRIPE_", "PAYGO_", "PYTEST_"))
    }
    return kept | given


LAST_WORDS = "Ctrl-C stops everything"


@dataclass
class Up:
    """One `manage.py up`, and what it said."""

    data_dir: Path
    port: int
    arguments: tuple[str, ...] = ("--no-demo",)
    said: Path = field(init=False)
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> "Up":
        self.said = self.data_dir.with_suffix(".said")
        told = self.said.read_text().count(LAST_WORDS) if self.said.exists() else 0
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "manage.py",
                    "up",
                    "--port",
                    str(self.port),
                    "--data-dir",
                    self.data_dir,
                    *self.arguments,
                ],
                cwd=ROOT,
                env=environment(),
                stdout=said,
                stderr=subprocess.STDOUT,
            )

        def is_up() -> bool:
            return self.is_ready() and self.said.read_text().count(LAST_WORDS) > told

        wait_for(lambda: is_up() or self.process.poll() is not None, seconds=90, why=self.words)
        assert self.process.poll() is None, self.words()
        return self

    def words(self) -> str:
        logs = "".join(f"\n== {log.name}\n{log.read_text()[-1500:]}" for log in self.data_dir.glob("logs/*.log"))
        return self.said.read_text() + logs

    def readiness(self) -> dict[str, bool]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as response:
                return json.load(response)["parts"]
        except urllib.error.HTTPError as error:
            return json.load(error)["parts"]
        except OSError:
            return {}

    def is_ready(self) -> bool:
        readiness = self.readiness()
        return bool(readiness) and all(readiness.values()) and set(self.pids()) == set(PARTS)

    def pids(self) -> dict[str, int]:
        try:
            return json.loads((self.data_dir / "parts.json").read_text())["pids"]
        except FileNotFoundError:
            return {}

    def left_over(self) -> list[int]:
        return leftovers(self.data_dir)


def leftovers(data_dir: Path) -> list[int]:
    """Return the processes that belong to a data directory."""
    return [*supervise.processes_with_mark(str(data_dir)), *supervise.processes_in(data_dir / "postgres")]


def wait_for(holds: Callable[[], bool], *, seconds: float, why: Callable[[], str] = lambda: "") -> None:
    """Wait until something outside this process holds; fail with `why` if it does not come to hold."""
    give_up_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up_at, why()
        time.sleep(0.05)


def manage(data_dir: Path, *arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(**({"PAYGO_DATA_DIR": str(data_dir)} | given)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def people(data_dir: Path, extra: str = "pass") -> subprocess.CompletedProcess[str]:
    """Count the people in the database, by a command that knows the data directory only."""
    script = f"from accounts.models import Person; from config import clock; {extra}; print(Person.objects.count())"
    return manage(data_dir, "shell", "--verbosity", "0", "--command", script)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with reserve_port() as reserved:
        port = reserved.getsockname()[1]
    started = Up(tmp_path_factory.mktemp("up") / "data", port).start()
    yield started
    started.process.kill()
    started.process.wait()
    wait_for(lambda: not started.left_over(), seconds=15, why=lambda: str(started.left_over()))


def test_everything_answers_and_says_where_it_is(up):
    said = up.said.read_text()

    assert up.readiness() == {"database": True, "migrations": True, "redis": True, "stripe": True}
    assert f"http://localhost:{up.port}/ninja/" in said
    assert json.loads((up.data_dir / "credentials.json").read_text())["ninja_password"] in said


def test_what_is_secret_is_readable_to_its_owner_alone(up):
    for name in ("credentials.json", "parts.json"):
        assert (up.data_dir / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", PARTS)
def test_a_killed_part_is_started_again_and_that_is_said(up, name):
    killed = up.pids()[name]

    os.kill(killed, signal.SIGKILL)

    wait_for(lambda: up.pids().get(name) not in {killed, None} and up.is_ready(), seconds=20, why=up.words)
    wait_for(lambda: f"{name} was killed (SIGKILL); starting it again" in up.said.read_text(), seconds=5, why=up.words)


def test_a_command_joins_what_runs(up):
    done = people(up.data_dir, "Person.objects.create(email='kept@example.com', created_at=clock.now())")

    assert (done.stdout, done.stderr) == ("1\n", "")


def test_what_a_command_tells_customers_leads_to_this_platform_and_is_not_its_output(up):
    script = (
        "from django.conf import settings; from django.core.mail import send_mail; "
        "print(settings.DASHBOARD_URL); send_mail('News', 'of an invoice', None, ['a@example.com'])"
    )
    done = manage(up.data_dir, "shell", "--verbosity", "0", "--command", script)

    assert done.stdout == f"http://localhost:{up.port}/dashboard\n"
    assert "of an invoice" in done.stderr


def test_a_second_up_on_the_same_data_is_refused(up):
    done = manage(up.data_dir, "up")

    assert done.returncode != 0
    assert f"runs already with the data directory {up.data_dir} (process {up.process.pid})" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_refused_when_it_was_asked_for(up, tmp_path):
    done = manage(tmp_path / "data", "up", "--port", str(up.port))

    assert done.returncode != 0
    assert f"Port {up.port} is taken" in done.stderr
    assert leftovers(tmp_path / "data") == []


def test_nothing_outlives_a_killed_up_and_the_next_one_keeps_everything(up):
    password = json.loads((up.data_dir / "credentials.json").read_text())["ninja_password"]

    up.process.kill()
    up.process.wait()

    wait_for(lambda: not up.left_over(), seconds=10, why=lambda: str(up.left_over()))
    up.start()
    done = people(up.data_dir)
    assert (done.stdout, done.stderr) == ("1\n", "")
    assert json.loads((up.data_dir / "credentials.json").read_text())["ninja_password"] == password


@pytest.mark.parametrize("asked_by", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_stops_everything(up, asked_by):
    if up.process.poll() is not None:
        up.start()

    up.process.send_signal(asked_by)

    assert up.process.wait(30) == 0
    assert up.left_over() == []
    assert not (up.data_dir / "parts.json").exists()


def test_a_command_alone_starts_what_it_needs_and_leaves_nothing(tmp_path):
    data_dir = tmp_path / "data"

    first = people(data_dir, "Person.objects.create(email='alone@example.com', created_at=clock.now())")
    second = people(data_dir)

    assert (first.stdout, first.returncode) == ("1\n", 0), first.stderr
    assert (second.stdout, second.returncode) == ("1\n", 0), second.stderr
    assert "Starting PostgreSQL" in first.stderr
    wait_for(lambda: not leftovers(data_dir), seconds=15)


def test_commands_that_need_no_parts_start_none(tmp_path):
    done = manage(tmp_path / "data", "check")

    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "data").exists()


PRODUCTION = {
    "PAYGO_PROFILE": "production",
    "EMAIL_URL": "smtp+tls://user:secret@mail.example.com:587",
    "EMAIL_FROM": "Example billing <billing@example.com>",
    "DASHBOARD_URL": "https://dash.example.com",
    "COMPANY_NAME": "Example Inc.",
    "COMPANY_ADDRESS": "1 Example Street|Exampletown",
    "DATABASE_URL": "postgres://paygo:secret@db.example.com/paygo",
    "REDIS_URL": "redis://redis.example.com/0",
    "CACHE_URL": "redis://redis.example.com/1",
    "STRIPE_API_KEY": "sk_live_something",
    "STRIPE_WEBHOOK_SECRETS": "whsec_something",
    "SECRET_KEY": "6Jd0pTq8VYx1mK4sZ7nB2wG9cL5fH3rA0eU6iO8yQ1tX4vN7kM2jP5bS",
    "ALLOWED_HOSTS": "billing.example.com",
}

WRONG = [
    # given                                                     the sentence names
    ({"PAYGO_PROFILE": "staging"},                              "PAYGO_PROFILE is 'staging'"),
    ({"PAYGO_DATA_DIR": __file__},                              "PAYGO_DATA_DIR"),
    ({"DATABASE_URL": "nonsense"},                              "DATABASE_URL cannot be read"),
    ({"DATABASE_URL": "mysql://localhost/paygo"},               "DATABASE_URL cannot be read"),
    ({"DATABASE_URL": "postgres://localhost:seven/paygo"},      "DATABASE_URL cannot be read"),
    ({"DATABASE_URL": "postgres://localhost"},                  "DATABASE_URL names no database"),
    ({"REDIS_URL": "http://localhost"},                         "REDIS_URL cannot be read"),
    ({"CACHE_URL": "localhost:6379"},                           "CACHE_URL cannot be read"),
    ({"STRIPE_API_BASE": "ftp://localhost"},                    "STRIPE_API_BASE cannot be read"),
    ({"STRIPE_WEBHOOK_SECRETS": " , "},                         "STRIPE_WEBHOOK_SECRETS holds no value"),
    ({"EMAIL_URL": "mail.example.com"},                         "EMAIL_URL cannot be read"),
    ({"SECRET_KEY": "short"},                                   "SECRET_KEY is too short"),
    *((PRODUCTION | {name: ""}, f"{name} is not set") for name in PRODUCTION if name != "PAYGO_PROFILE"),
    (PRODUCTION | {"STRIPE_API_KEY": "sk_test_sandbox"},        "STRIPE_API_KEY is the sandbox's key"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "sentence"), WRONG)
def test_a_wrong_value_is_one_sentence(tmp_path, given, sentence):
    done = manage(tmp_path / "data", "check", **given)

    assert done.returncode != 0
    assert done.stderr.startswith("PayGO cannot start: ")
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_production_passes_djangos_own_inspection(tmp_path):
    done = manage(tmp_path / "data", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)

    assert done.returncode == 0, done.stderr


def interpreter_for(as_person: list[str]) -> dict[str, str] | None:
    """Return the variables with which somebody else can run our Python with our packages, None if nothing can."""
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for python, path in ((sys.executable, ""), (system, packages)):
        script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import django, redis'], check=True)"
        command, given = [*as_person, python, "-c", script], environment(PYTHONPATH=path)
        if not subprocess.run(command, env=given, capture_output=True, check=False).returncode:
            return {"PYTHON": python, "PYTHONPATH": path}
    return None


def test_an_ordinary_user_can_run_it_too(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("this run is an ordinary user's already")
    person = pwd.getpwnam("nobody")
    as_person = ["setpriv", f"--reuid={person.pw_uid}", f"--regid={person.pw_gid}", "--clear-groups"]
    interpreter = interpreter_for(as_person)
    if interpreter is None:
        pytest.skip(f"NOT TESTED AS AN ORDINARY USER: {sys.executable} can be reached by root alone")
    home = Path("/var/tmp") / f"paygo-{tmp_path.name}-{os.getpid()}"  # noqa: S108  pytest's own is closed to others
    home.mkdir(mode=0o700)
    try:
        os.chown(home, person.pw_uid, person.pw_gid)
        script = "from accounts.models import Person; print(Person.objects.count())"
        done = subprocess.run(
            [*as_person, interpreter["PYTHON"], "manage.py", "shell", "--verbosity", "0", "--command", script],
            cwd=ROOT,
            env=environment(PAYGO_DATA_DIR=str(home / "data"), HOME=str(home), **interpreter),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        wait_for(lambda: not leftovers(home / "data"), seconds=15)
        owners = {path.owner() for path in (home / "data").rglob("*")}
    finally:
        shutil.rmtree(home)

    assert (done.stdout, done.returncode) == ("0\n", 0), done.stderr
    assert owners == {"nobody"}
