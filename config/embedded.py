"""PostgreSQL and Valkey as children of ours: their data, their command lines, their URLs."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis

from . import binaries
from .supervise import MARK, CannotStart, Program, kill_all, processes_in

ROLE = "paygo"

# What a crash of the machine may cost is nothing where people work, and does not matter in tests.
DURABLE: Mapping[str, str] = {}
FORGETFUL: Mapping[str, str] = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "4GB",
    "max_connections": "200",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """One cluster in `directory`, served on 127.0.0.1 at `port` to the role `paygo`."""

    directory: Path
    port: int
    password: str
    log: Path
    mark: str
    settings: Mapping[str, str]

    def url(self, database: str = ROLE) -> str:
        """Return the URL of one of its databases."""
        return f"postgres://{ROLE}:{quote(self.password, safe='')}@127.0.0.1:{self.port}/{database}"

    def program(self) -> Program:
        """
        Return the server's program, after making the cluster if there is none yet.

        The data directory is handed over as an open file: as root the server runs as `nobody`, who need not
        be able to reach it by name, so nothing above it has to be opened.

        :raises CannotStart: see `make_cluster` and `binaries`.
        """
        make_cluster(self.directory, self.password, is_durable=self.settings is DURABLE)
        handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
        } | dict(self.settings)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="PostgreSQL",
            argv=(str(binaries.postgres_programs() / "postgres"), "-D", f"/proc/self/fd/{handle}", *options),
            log=self.log,
            environment=_environment(self.mark),
            is_ready=self.answers,
            before_start=self.clear_away,
            stop_signal=signal.SIGINT,  # SIGTERM would wait for clients that idle
            orphan_signal=signal.SIGQUIT,  # the server takes its backends along, at once
            user=_user(),
            pass_fds=(handle,),
        )

    def clear_away(self) -> None:
        """
        Kill what a killed server left: a busy backend would keep the shared memory and forbid a new start.

        The caller owns the data directory, so the lock file, whose process id may be anybody's by now,
        says nothing any more.
        """
        kill_all(lambda: processes_in(self.directory))
        (self.directory / "postmaster.pid").unlink(missing_ok=True)

    def answers(self) -> bool:
        """Say whether a query is answered."""
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=2, autocommit=True) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def create_database(self, name: str = ROLE) -> None:
        """Create the database unless it exists."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Valkey:
    """One server on 127.0.0.1 at `port`. What it holds may be lost; it is kept where that costs nothing."""

    directory: Path
    port: int
    password: str
    log: Path
    mark: str
    is_durable: bool

    def url(self, database: int = 0) -> str:
        """Return the URL of one of its 64 databases."""
        return f"redis://:{quote(self.password, safe='')}@127.0.0.1:{self.port}/{database}"

    def program(self) -> Program:
        """Return the server's program. Its settings go through standard input: a command line shows the password."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            "databases 64",
            "maxmemory-policy noeviction",
            'save ""',
            f"appendonly {'yes' if self.is_durable else 'no'}",
            "daemonize no",
            'logfile ""',
        ]
        return Program(
            name="Valkey",
            argv=(str(binaries.valkey_server()), "-"),
            log=self.log,
            environment=_environment(self.mark),
            is_ready=self.answers,
            stdin="\n".join(settings).encode(),
            directory=self.directory,
        )

    def answers(self) -> bool:
        """Say whether it answers, its data loaded."""
        client = redis.Redis.from_url(self.url(), socket_connect_timeout=1, socket_timeout=1, retry=None)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


def make_cluster(directory: Path, password: str, *, is_durable: bool) -> None:
    """
    Create the cluster, owned by whoever will run it, unless it exists.

    It is made beside its place and renamed, so that an interrupted making is begun anew.

    :raises CannotStart: initdb refused; with what it said.
    """
    if (directory / "PG_VERSION").exists():
        return
    try:
        user = pwd.getpwnam(binaries.USER_OF_ROOT) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    except KeyError:
        who = f"there is no user {binaries.USER_OF_ROOT}" if os.geteuid() == 0 else f"user id {os.geteuid()} has none"
        raise CannotStart(
            f"PostgreSQL needs a user name, and {who}: add it to /etc/passwd, or set DATABASE_URL."
        ) from None
    half_made = directory.with_name(f"{directory.name}.new")
    shutil.rmtree(half_made, ignore_errors=True)
    half_made.mkdir(mode=0o700, parents=True)
    os.chown(half_made, user.pw_uid, user.pw_gid)
    handle = os.open(half_made, os.O_RDONLY | os.O_DIRECTORY)
    password_file = os.memfd_create("password")
    try:
        os.write(password_file, password.encode())
        os.fchown(password_file, user.pw_uid, user.pw_gid)
        made = subprocess.run(  # noqa: S603  our own command line
            [
                binaries.postgres_programs() / "initdb",
                *("-D", f"/proc/self/fd/{handle}"),
                *("--username", ROLE, "--pwfile", f"/proc/self/fd/{password_file}", "--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-locale"),
                *(() if is_durable else ("--no-sync",)),
                "--no-instructions",
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(""),
            user=_user(),
            group=user.pw_gid if _user() else None,
            extra_groups=[] if _user() else None,
            pass_fds=(handle, password_file),
        )
    finally:
        os.close(handle)
        os.close(password_file)
    if made.returncode != 0:
        said = (made.stderr or made.stdout).strip().splitlines() or ["it said nothing"]
        raise CannotStart(f"PostgreSQL cannot make its data in {directory}: {said[-1]}")
    half_made.rename(directory)


def _user() -> str | None:
    return binaries.USER_OF_ROOT if os.geteuid() == 0 else None


def _environment(mark: str) -> dict[str, str]:
    """Return a bare environment: a PGDATA or LC_ALL of the person who started us is not meant for the server."""
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC", MARK: mark}
