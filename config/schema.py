"""Which schema and catalogue this code expects, and whether a database has them. Needs no settings."""

import hashlib
from pathlib import Path

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
_SOURCES = ("*/migrations/*.py", "*/definitions/*.sqlx", "billing/catalog/catalog.json", "requirements.txt")


def digest() -> str:
    """Return a name for everything that decides what a prepared database holds; another one after any change."""
    found = hashlib.sha256()
    for source in sorted(path for pattern in _SOURCES for path in ROOT.glob(pattern)):
        found.update(source.relative_to(ROOT).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def is_current(database_url: str) -> bool:
    """Say whether the database was prepared by this code; the note about it is the database's own comment."""
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    return row is not None and row[0] == _note()


def mark_current(database_url: str) -> None:
    """Note in the database that it has been prepared by this code."""
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(connection.info.dbname), sql.Literal(_note()))
        )


def _note() -> str:
    return f"prepared {digest()}"
