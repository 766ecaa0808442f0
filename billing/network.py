"""No call leaves the house while a transaction is open: its locks would wait for the network."""

from django.db import connection


class NetworkInTransaction(RuntimeError):
    """Somebody outside was about to be called in a transaction."""


def refuse_in_transaction() -> None:
    """
    Every client of the outside world calls this first. A transaction of a test's own is looked through.

    :raises NetworkInTransaction: in production too, because it is a bug wherever it happens.
    """
    if any(not block._from_testcase for block in connection.atomic_blocks):  # type: ignore[attr-defined]
        raise NetworkInTransaction
