"""How a worker takes work that is rows: the one claim helper."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from django.db import connection, models, transaction

from config import clock

from .models import Lease

Row = TypeVar("Row", bound=Lease)

LEASE_SECONDS = 120


class LeaseLost(Exception):
    """The row was taken over by somebody else; what was done in this transaction must not stand."""


def claim(model: type[Row], where: str = "TRUE", params: tuple[object, ...] = (), *, now: datetime, limit: int = 100) -> list[Row]:
    """
    Take up to `limit` due rows, the oldest first, skipping those that somebody else is taking, and return them.

    Due means `next_at <= now` (business time) and not leased (machine time). `where` is SQL that the
    caller writes, with `params` bound. One statement; the lease lasts LEASE_SECONDS.
    """  # fmt: skip
    table = connection.ops.quote_name(model._meta.db_table)
    key = connection.ops.quote_name(model._meta.pk.column)
    machine_now = clock.machine_now()
    sql = f"""
        UPDATE {table} SET lease_token = %s, lease_until = %s
        WHERE {key} IN (
            SELECT {key} FROM {table}
            WHERE next_at <= %s AND (lease_until IS NULL OR lease_until < %s) AND ({where})
            ORDER BY next_at, {key} LIMIT %s FOR UPDATE SKIP LOCKED
        ) RETURNING *
    """  # noqa: S608  table and condition come from our own code
    values = [uuid4(), machine_now + timedelta(seconds=LEASE_SECONDS), now, machine_now, *params, limit]
    return sorted(model._default_manager.raw(sql, values), key=lambda row: (row.next_at, row.pk))


def give_back(row: Lease, *, for_seconds: float = 0.0) -> None:
    """Return a row untouched: nobody takes it for so long, in machine time; not counted as an attempt."""
    _mine(row).update(lease_token=None, lease_until=clock.machine_now() + timedelta(seconds=for_seconds))


def give_back_failed(row: Lease, *, next_at: datetime) -> None:
    """Return a row whose work failed: the attempt is counted and the next one is due at `next_at`."""
    _mine(row).update(lease_token=None, lease_until=None, attempts=models.F("attempts") + 1, next_at=next_at)


def renew(row: Lease, **changes: object) -> None:
    """
    Write `changes` to a row we hold and hold it for another LEASE_SECONDS. One statement.

    :raises LeaseLost: somebody else holds it by now; nothing was written.
    """
    lease_until = clock.machine_now() + timedelta(seconds=LEASE_SECONDS)
    if not _mine(row).update(lease_until=lease_until, **changes):
        raise LeaseLost(f"{row._meta.db_table} {row.pk}")
    for name, value in changes.items():
        setattr(row, name, value)


def new_lease() -> tuple[UUID, datetime]:
    """Return a token and an end (machine time) for a row that is born leased."""
    return uuid4(), clock.machine_now() + timedelta(seconds=LEASE_SECONDS)


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


def _mine(row: Row) -> models.QuerySet[Row]:
    return type(row)._default_manager.filter(pk=row.pk, lease_token=row.lease_token)
