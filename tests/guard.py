"""
No store of an account changes without a journal entry in the same transaction: a watch over the SQL of a test run.

The transaction meant is the outermost one that the code under test opened; the one that a test's database
fixture wraps around everything is looked through. What is rolled back never happened.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from accounts.models import JournalEntry
from accounts.stores import GUARDED_TABLES

_WRITTEN = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+(?:ONLY\s+)?\"?(\w+)\"?", re.IGNORECASE)
JOURNAL = JournalEntry._meta.db_table

_is_exempt: ContextVar[bool] = ContextVar("writes_need_no_journal_entry", default=False)


@contextmanager
def unguarded() -> Iterator[None]:
    """Let test data be written without journal entries. Also a decorator: `@unguarded()`."""
    token = _is_exempt.set(True)
    try:
        yield
    finally:
        _is_exempt.reset(token)


class JournalGuard:
    """
    Notes guarded tables that were written, and complains of a transaction that commits them without a journal entry.

    `violations` has one sentence for each. Use `watching()` around a test, in the process that runs it; a
    process of its own calls `install()` once.
    """

    def __init__(self) -> None:
        self.violations: list[str] = []
        self._open: WeakKeyDictionary[BaseDatabaseWrapper, tuple[transaction.Atomic, set[str]]] = WeakKeyDictionary()

    @contextmanager
    def watching(self) -> Iterator["JournalGuard"]:
        """Watch every connection of this process, those too that other threads open meanwhile."""
        with ExitStack() as stack:
            self.install(stack)
            yield self

    def install(self, stack: ExitStack | None = None) -> None:
        """Begin to watch; what is done for it is undone when `stack` closes, never without one."""
        stack = stack or ExitStack()
        exit_of_django = transaction.Atomic.__exit__
        guard = self

        def exit_noticed(block: transaction.Atomic, exc_type: Any, exc_value: Any, traceback: Any) -> None:
            connection = transaction.get_connection(block.using)
            is_lost = exc_type is not None or connection.needs_rollback
            exit_of_django(block, exc_type, exc_value, traceback)
            guard.transaction_ended(connection, block, committed=not is_lost)

        stack.enter_context(patch.object(transaction.Atomic, "__exit__", exit_noticed))
        for connection in connections.all(initialized_only=True):
            self._attach(connection, stack)

        def attach_new(connection: BaseDatabaseWrapper, **_: object) -> None:
            self._attach(connection, stack)

        connection_created.connect(attach_new, weak=False)
        stack.callback(connection_created.disconnect, attach_new)

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Run a statement, as Django's `execute_wrapper` asks, and note what it wrote."""
        result = execute(sql, params, many, context)
        # The count of a statement that begins with WITH says nothing of what its first parts wrote.
        hit_nothing = context["cursor"].rowcount == 0 and not sql.lstrip().upper().startswith("WITH")
        if _is_exempt.get() or hit_nothing:
            return result
        written = {table.lower() for table in _WRITTEN.findall(sql)} & (GUARDED_TABLES | {JOURNAL})
        if written:
            self._note(context["connection"], written)
        return result

    def transaction_ended(self, connection: BaseDatabaseWrapper, block: transaction.Atomic, *, committed: bool) -> None:
        """Judge a transaction at its end, if `block` is the one that began it."""
        pending = self._open.get(connection)
        if pending is None or pending[0] is not block:
            return
        del self._open[connection]
        if committed:
            self._judge(pending[1])

    def _note(self, connection: BaseDatabaseWrapper, written: set[str]) -> None:
        outermost = next((block for block in connection.atomic_blocks if not block._from_testcase), None)
        if outermost is None:
            self._judge(written)  # a statement outside any transaction is one by itself
            return
        block, already = self._open.get(connection, (outermost, set()))
        self._open[connection] = (outermost, already | written if block is outermost else written)

    def _judge(self, written: set[str]) -> None:
        if JOURNAL not in written:
            self.violations.append(
                f"{', '.join(sorted(written))}: written without a journal entry in the same transaction"
            )

    def _attach(self, connection: BaseDatabaseWrapper, stack: ExitStack) -> None:
        if self not in connection.execute_wrappers:
            connection.execute_wrappers.append(self)
            stack.callback(self._detach, connection)

    def _detach(self, connection: BaseDatabaseWrapper) -> None:
        if self in connection.execute_wrappers:
            connection.execute_wrappers.remove(self)
