"""
The parts that tests run against: PostgreSQL and Valkey once per run, a sandbox for each worker.

A run takes a slot under `.local/tests`, so that runs beside each other share nothing, and leaves its
cluster there for the next one: what is migrated once is not migrated again until a migration changes.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from config.embedded import FORGETFUL, Postgres, Valkey
from config.supervise import Child, free_port, kill_all, processes_with_mark

ROOT = Path(__file__).resolve().parent.parent
SLOTS = ROOT / ".local" / "tests"
CHROMIUM = Path("/usr/bin/chromium")
# Handed from the process that starts the parts to the workers that xdist starts.
HANDED_ON = ("PAYGO_TEST_SLOT", "PAYGO_TEST_POSTGRES_PORT", "PAYGO_TEST_VALKEY_PORT")


@dataclass(frozen=True, slots=True)
class Run:
    """Where this run keeps its things, and where its servers listen."""

    slot: Path
    postgres: Postgres
    valkey: Valkey

    @property
    def template(self) -> str:
        """The name of the database that holds the schema of today's migrations."""
        digest = hashlib.sha256()
        sources = [*ROOT.glob("*/migrations/*.py"), *ROOT.glob("*/definitions/*.sqlx"), ROOT / "requirements.txt"]
        for source in sorted(sources):
            digest.update(source.relative_to(ROOT).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
        return f"template_{digest.hexdigest()[:16]}"


# What a test's transaction may count on, whichever stories ran before.
KEPT_TABLES = {
    "auth_permission", "catalog_version", "component", "django_content_type", "django_migrations", "fanout_shard", "journal_watermark", "meter",
    "plan_entitlement", "price", "product_family", "rate_plan",
}  # fmt: skip


def worker_name() -> str:
    """Return `gw0`, `gw1`, … in xdist's workers and `main` elsewhere."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def is_worker() -> bool:
    """Say whether another process of this run has started the parts."""
    return "PYTEST_XDIST_WORKER" in os.environ


def join_run() -> Run:
    """
    Return this run, from what was handed on or from a slot taken now. Starts nothing.

    Also sets the environment that the settings read: this worker's database, Redis databases, sandbox and
    data directory, which is emptied.
    """
    if not is_worker():
        slot = _take_slot()
        os.environ["PAYGO_TEST_SLOT"] = str(slot)
        os.environ["PAYGO_TEST_POSTGRES_PORT"] = str(free_port(25432))
        os.environ["PAYGO_TEST_VALKEY_PORT"] = str(free_port(26379))
    slot = Path(os.environ["PAYGO_TEST_SLOT"])
    password = _password(slot)
    run = Run(
        slot=slot,
        postgres=Postgres(
            directory=slot / "postgres",
            port=int(os.environ["PAYGO_TEST_POSTGRES_PORT"]),
            password=password,
            log=slot / "postgres.log",
            mark=str(slot),
            settings=FORGETFUL,
        ),
        valkey=Valkey(
            directory=slot / "valkey",
            port=int(os.environ["PAYGO_TEST_VALKEY_PORT"]),
            password=password,
            log=slot / "valkey.log",
            mark=str(slot),
            is_durable=False,
        ),
    )
    _set_environment(run)
    return run


def start(run: Run) -> list[Child]:
    """Start PostgreSQL and Valkey, make the template database if migrations changed, and return what to stop."""
    kill_all(lambda: processes_with_mark(str(run.slot)))
    children = [Child(run.postgres.program()), Child(run.valkey.program())]
    for child in children:
        child.program.log.unlink(missing_ok=True)
        child.start()
    for child in children:
        child.wait_until_ready(seconds=60)
    with _administrator(run) as connection:
        names = [row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()]
        for name in names:
            if name.startswith(("template_", "building_", "worker_")) and name != run.template:
                _drop(connection, name)
        if run.template not in names:
            building = run.template.replace("template_", "building_")
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(building)))
            _migrate(run.postgres.url(building))
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(building), sql.Identifier(run.template))
            )
    return children


def create_worker_database(run: Run) -> None:
    """Give this worker a fresh copy of the template. Called by each worker, once."""
    _create(run, _database())


@contextmanager
def fresh_database(run: Run, name: str) -> Iterator[str]:
    """Yield the URL of one more copy of the template, dropped afterwards. `name` is told apart by worker."""
    database = f"{_database()}_{name}"
    _create(run, database)
    try:
        yield run.postgres.url(database)
    finally:
        with _administrator(run) as connection:
            _drop(connection, database)


def _create(run: Run, database: str) -> None:
    with _administrator(run) as connection:
        _drop(connection, database)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(run.template))
        )


def put_leftovers_to_sleep() -> None:
    """
    Put off all rows that are work to do, in every table that has such, to a time that no test reaches, held by nobody.

    By a connection of its own: to those who watch the application's SQL this is no act of the application.
    """
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, options="-c lock_timeout=10000") as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND column_name IN ('next_at', 'lease_token') AND table_name <> 'fanout_shard' "
            "GROUP BY table_name HAVING count(*) = 2"
        ).fetchall()
        for (table,) in tables:
            connection.execute(
                sql.SQL(
                    "UPDATE {} SET next_at = '2999-01-01', lease_token = NULL, lease_until = NULL, lease_backend = ''"
                    " WHERE next_at < '2900-01-01' OR lease_until IS NOT NULL"
                ).format(sql.Identifier(table))
            )


def hide_what_stories_left() -> None:
    """
    Empty every table of ours but the catalogue's, in the transaction that the test's fixture rolls back.

    The triggers that keep journal and ledger from being emptied are asleep meanwhile.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM journal_entry)")
        if cursor.fetchone()[0]:
            tables = sorted(set(connection.introspection.table_names(cursor)) - KEPT_TABLES)
            names = ", ".join(connection.ops.quote_name(table) for table in tables)
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(f"TRUNCATE {names}")
            cursor.execute("SET LOCAL session_replication_role = origin")


def reserve_port() -> socket.socket:
    """Return a socket that holds a free port without listening; close it just before somebody else listens there."""
    reserved = socket.socket()
    reserved.bind(("127.0.0.1", 0))
    return reserved


def _set_environment(run: Run) -> None:
    data_dir = run.slot / worker_name()
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.mkdir(parents=True)
    number = int(worker_name().removeprefix("gw")) + 1 if is_worker() else 0
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PAYGO_PROFILE": "local",
        "PAYGO_DATA_DIR": str(data_dir),
        "DATABASE_URL": run.postgres.url(_database()),
        "REDIS_URL": run.valkey.url(2 * number),
        "CACHE_URL": run.valkey.url(2 * number + 1),
        "STRIPE_API_KEY": "sk_test_sandbox",
        "STRIPE_API_BASE": f"http://127.0.0.1:{sandbox_port.getsockname()[1]}",
        "STRIPE_WEBHOOK_SECRETS": "whsec_tests",
        "SECRET_KEY": "a key that is long enough for tests and is used nowhere else",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    }
    os.environ.pop("SECRET_KEY_FALLBACKS", None)


# Taken before the settings load, which must know the address; closed when this worker's sandbox starts.
sandbox_port = reserve_port()
_slot_lock: int | None = None


def _take_slot() -> Path:
    """Return the first slot that no other run holds; it is held until this process ends."""
    global _slot_lock  # noqa: PLW0603  held as long as the process lives
    number = 0
    while True:
        slot = SLOTS / f"slot-{number}"
        slot.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(slot / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            number += 1
            continue
        _slot_lock = lock
        return slot


def _password(slot: Path) -> str:
    """Return the slot's password, made when the slot is; the cluster in it was made with it."""
    path = slot / "password"
    if not path.exists():
        shutil.rmtree(slot / "postgres", ignore_errors=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()


def _database() -> str:
    return f"worker_{worker_name()}"


def _administrator(run: Run) -> psycopg.Connection:
    return psycopg.connect(run.postgres.url("postgres"), autocommit=True)


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _migrate(url: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The test database cannot be migrated:\n{done.stdout}{done.stderr}")
