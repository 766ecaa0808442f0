"""What benchmarks stand on: a database that is as durable as in production, a broker, and web servers to compare."""

import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.embedded import DURABLE, Postgres, Valkey
from config.supervise import MARK, Child, Program, free_port

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "lives-as-long-as-its-temporary-directory"
WEBHOOK_SECRET = "whsec_of_a_benchmark"
WORKERS = 2


@contextmanager
def ground() -> Iterator[dict[str, str]]:
    """Start PostgreSQL (fsync on) and Valkey in a directory that is removed at the end; yield the environment."""
    with tempfile.TemporaryDirectory(prefix="paygo-bench-") as name, ExitStack() as running:
        directory = Path(name)
        Path(name).chmod(0o755)
        postgres = Postgres(
            directory=directory / "postgres",
            port=free_port(35432),
            password=PASSWORD,
            log=directory / "postgres.log",
            mark=name,
            settings=DURABLE,
        )
        valkey = Valkey(
            directory=directory / "valkey",
            port=free_port(36379),
            password=PASSWORD,
            log=directory / "valkey.log",
            mark=name,
            is_durable=False,
        )
        for part in (postgres, valkey):
            running.enter_context(_started(part.program()))
        postgres.create_database()
        environment = os.environ | {
            MARK: name,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PAYGO_PROFILE": "local",
            "PAYGO_DATA_DIR": name,
            "DATABASE_URL": postgres.url(),
            "REDIS_URL": valkey.url(0),
            "CACHE_URL": valkey.url(1),
            "STRIPE_API_KEY": "sk_test_sandbox",
            "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
            "SECRET_KEY": "a key that is long enough for a benchmark and is used nowhere else",
        }
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True
        )
        yield environment


@contextmanager
def served(application: str, environment: Mapping[str, str], *, python: str = sys.executable) -> Iterator[int]:
    """Serve a WSGI application by granian with WORKERS workers, as `up` does; yield the port."""
    port = free_port(38000)
    program = Program(
        name=application,
        argv=(
            python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
            "--workers", str(WORKERS), "--blocking-threads", "4", "--no-ws", "--log-level", "warning", application,
        ),
        log=Path(environment["PAYGO_DATA_DIR"]) / f"{application}.log",
        environment=environment,
        is_ready=lambda: _answers(port),
        directory=ROOT,
    )  # fmt: skip
    with _started(program):
        yield port


@contextmanager
def _started(program: Program) -> Iterator[None]:
    child = Child(program)
    child.start()
    try:
        child.wait_until_ready(seconds=60)
        yield
    finally:
        child.stop()


def _answers(port: int) -> bool:
    """Say whether anything at all is answered: an application that knows no such page is up as well."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/nothing-here", timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
