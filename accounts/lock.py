"""One account, one writer: the lock that every write about an account takes first."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from psycopg import errors as postgres

from .models import Account, Person

_held: ContextVar[frozenset[str]] = ContextVar("held_account_locks", default=frozenset())


class AccountBusy(Exception):
    """Somebody else is writing about this account; ask again in a moment. Nothing was begun."""

    code = "account_busy"
    retry_after_seconds = 1


def holds_lock(account_id: str) -> bool:
    """Return whether this thread holds the account's lock in the running transaction."""
    return account_id in _held.get()


@contextmanager
def account_lock(account_id: str, *, wait: bool = True) -> Iterator[None]:
    """
    Open a transaction that is the only writer about one account until it ends.

    Waits for as long as the connection's lock_timeout allows, or not at all. Taking a lock that is
    held already costs nothing.

    :raises AccountBusy: somebody else holds it.
    :raises Account.DoesNotExist: there is no such account.
    """
    with lock_accounts((account_id,), wait=wait) as found:
        if not found:
            raise Account.DoesNotExist(account_id)
        yield


@contextmanager
def person_lock(person_id: str) -> Iterator[None]:
    """
    Open a transaction that is the only one in which this person opens accounts, until it ends.

    Taken before the lock of an account that did not exist until then, and never after another account's.
    """
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(pk=person_id)
        yield


@contextmanager
def lock_accounts(ids: Sequence[str] | QuerySet, *, wait: bool = True) -> Iterator[tuple[str, ...]]:  # type: ignore[type-arg]
    """
    Open a transaction that locks all these accounts with one statement, in order of id, and yield those found.

    `ids` may be a query for ids, so that looking an account up and locking it is one statement. FOR NO KEY UPDATE,
    because plain FOR UPDATE fights the key-share lock that each insert of a child row takes.

    :raises AccountBusy: somebody else holds one of them.
    """
    if not isinstance(ids, QuerySet) and holds_all(ids):
        with transaction.atomic():
            yield tuple(ids)
        return

    with transaction.atomic():
        rows = Account.objects.filter(pk__in=ids).order_by("pk").values_list("pk", flat=True)
        try:
            with transaction.atomic():
                found = tuple(rows.select_for_update(no_key=True, nowait=not wait))
        except OperationalError as error:
            if isinstance(error.__cause__, postgres.LockNotAvailable):
                raise AccountBusy("This account is being changed right now. Try again in a moment.") from error
            raise
        with _holding(*found):
            yield found


@contextmanager
def new_account_lock(account_id: str) -> Iterator[None]:
    """Open the transaction that creates an account: nobody else can see it yet, so there is nothing to wait for."""
    with transaction.atomic(), _holding(account_id):
        yield


def holds_all(ids: Sequence[str]) -> bool:
    """Return whether every one of these accounts is locked by this thread already."""
    return connection.in_atomic_block and _held.get().issuperset(ids)


@contextmanager
def _holding(*account_ids: str) -> Iterator[None]:
    token = _held.set(_held.get() | set(account_ids))
    try:
        yield
    finally:
        _held.reset(token)
