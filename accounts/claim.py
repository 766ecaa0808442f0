"""How a worker takes work that is rows: the one claim helper."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from django.db import connection, models, transaction

from config import clock

from .models import Lease

Row = TypeVar("Row", bound=Lease)

LEASE_SECONDS = 120

# A database session by a name that is never used again: process ids are, start times are not.
_SESSION = "pid || '@' || extract(epoch FROM backend_start)"
THIS_SESSION = f"(SELECT {_SESSION} FROM pg_stat_activity WHERE pid = pg_backend_pid())"  # noqa: S608
_IS_FREE = f"""(
    lease_until IS NULL OR lease_until < %s
    OR (lease_backend <> '' AND lease_backend NOT IN (SELECT {_SESSION} FROM pg_stat_activity WHERE pid IS NOT NULL))
)"""  # noqa: S608


class LeaseLost(Exception):
    """The row was taken over by somebody else; what was done in this transaction must not stand."""


def claim(
    model: type[Row], where: str = "TRUE", params: tuple[object, ...] = (), *, now: datetime, limit: int = 100
) -> list[Row]:
    """
    Take up to `limit` due rows, the oldest first, skipping those that somebody else is taking, and return them.

    Due means `next_at <= now` (business time) and not leased (machine time) by a session that still lives.
    `where` is SQL that the caller writes, with `params` bound. One statement; the lease lasts LEASE_SECONDS.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    key = connection.ops.quote_name(str(model._meta.pk.column))
    machine_now = clock.machine_now()
    sql = f"""
        UPDATE {table} SET lease_token = %s, lease_until = %s, lease_backend = {THIS_SESSION}
        WHERE {key} IN (
            SELECT {key} FROM {table}
            WHERE next_at <= %s AND {_IS_FREE} AND ({where})
            ORDER BY next_at, {key} LIMIT %s FOR UPDATE SKIP LOCKED
        ) RETURNING *
    """  # noqa: S608  table and condition come from our own code
    values = [uuid4(), _lease_end(), now, machine_now, *params, limit]
    return sorted(model._default_manager.raw(sql, values), key=lambda row: (row.next_at, row.pk))


def take(model: type[Row], pk: object) -> Row | None:
    """Take this one row, due or not, and return it; None when a living session holds it."""
    table = connection.ops.quote_name(model._meta.db_table)
    key = connection.ops.quote_name(str(model._meta.pk.column))
    sql = f"""
        UPDATE {table} SET lease_token = %s, lease_until = %s, lease_backend = {THIS_SESSION}
        WHERE {key} = %s AND {_IS_FREE} RETURNING *
    """  # noqa: S608
    return next(iter(model._default_manager.raw(sql, [uuid4(), _lease_end(), pk, clock.machine_now()])), None)


def give_back(row: Lease, *, for_seconds: float = 0.0) -> None:
    """Return a row untouched: nobody takes it for so long, in machine time; not counted as an attempt."""
    until = clock.machine_now() + timedelta(seconds=for_seconds)
    _mine(row).update(lease_token=None, lease_until=until, lease_backend="")


def let_go(model: type[Lease], pk: str) -> None:
    """Return a row that this database session holds by a lease whose token it has lost; any other stays as it is."""
    table, key = (connection.ops.quote_name(name) for name in (model._meta.db_table, str(model._meta.pk.column)))
    held = f"lease_backend <> '' AND lease_backend = {THIS_SESSION}"
    sql = f"UPDATE {table} SET lease_token = NULL, lease_until = NULL, lease_backend = '' WHERE {key} = %s AND {held}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [pk])


def give_back_failed(row: Lease, *, next_at: datetime) -> None:
    """Return a row whose work failed: the attempt is counted and the next one is due at `next_at`."""
    attempts = models.F("attempts") + 1
    _mine(row).update(lease_token=None, lease_until=None, lease_backend="", attempts=attempts, next_at=next_at)


def renew(row: Lease, **changes: object) -> None:
    """
    Write `changes` to a row we hold and hold it for another LEASE_SECONDS. One statement.

    :raises LeaseLost: somebody else holds it by now; nothing was written.
    """
    if not _mine(row).update(lease_until=_lease_end(), **changes):
        raise LeaseLost(f"{row._meta.db_table} {row.pk}")
    for name, value in changes.items():
        setattr(row, name, value)


def release(row: Lease, **changes: object) -> None:
    """
    Write `changes` to a row we hold and let it go. One statement.

    :raises LeaseLost: somebody else holds it by now; nothing was written.
    """
    if not _mine(row).update(lease_token=None, lease_until=None, lease_backend="", **changes):
        raise LeaseLost(f"{row._meta.db_table} {row.pk}")
    for name, value in changes.items():
        setattr(row, name, value)


@contextmanager
def finishing(row: Lease) -> Iterator[None]:
    """
    Open a transaction whose work counts only if the row is still ours at its end; the row is then deleted.

    :raises LeaseLost: it is not; all that was written in the transaction is rolled back.
    """
    with transaction.atomic():
        yield
        if not _mine(row).delete()[0]:
            raise LeaseLost(f"{row._meta.db_table} {row.pk}")


def _lease_end() -> datetime:
    return clock.machine_now() + timedelta(seconds=LEASE_SECONDS)


def _mine(row: Row) -> models.QuerySet[Row]:
    return type(row)._default_manager.filter(pk=row.pk, lease_token=row.lease_token)
