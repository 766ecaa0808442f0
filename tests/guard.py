"""
A watch over the SQL of a test run: no store of an account changes without a journal entry in the same transaction,
each column group of a store is written by the modules that `accounts/stores.py` names, and no other, and each
fact that is journalled holds what `accounts/journal_kinds.py` says of its kind.

The transaction meant is the outermost one that the code under test opened; the one that a test's database
fixture wraps around everything is looked through. What is rolled back never happened.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from jsonschema import Draft202012Validator

from accounts import journal
from accounts.journal_kinds import KINDS
from accounts.models import JournalEntry
from accounts.stores import GUARDED_TABLES, STORES, ColumnGroup

_WRITTEN = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+(?:ONLY\s+)?\"?(\w+)\"?", re.IGNORECASE)
_SET = re.compile(r"\bSET\s+(.*?)(?:\bWHERE\b|\bFROM\b|\bRETURNING\b|$)", re.IGNORECASE | re.DOTALL)
_COLUMN = re.compile(r"\"?(\w+)\"?\s*=(?!=)")
_ENCODER = DjangoJSONEncoder()
JOURNAL = JournalEntry._meta.db_table
ROOT = Path(__file__).resolve().parent.parent
GROUPS: dict[str, tuple[ColumnGroup, ...]] = {name: groups for store in STORES for name, groups in store.tables.items()}

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
    Notes guarded tables that were written. It complains of a transaction that commits them without a journal entry,
    and of a writer that is none of theirs.

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

        emit = journal.emit

        def emit_checked(*facts: journal.Fact, at: datetime) -> None:
            guard.violations += [wrong for fact in facts if not _is_exempt.get() for wrong in deviations(fact)]
            emit(*facts, at=at)

        stack.enter_context(patch.object(transaction.Atomic, "__exit__", exit_noticed))
        stack.enter_context(patch.object(journal, "emit", emit_checked))
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
            self._check_writer(sql, written - {JOURNAL})
        return result

    def transaction_ended(self, connection: BaseDatabaseWrapper, block: transaction.Atomic, *, committed: bool) -> None:
        """Judge a transaction at its end, if `block` is the one that began it."""
        pending = self._open.get(connection)
        if pending is None or pending[0] is not block:
            return
        del self._open[connection]
        if committed:
            self._judge(pending[1])

    def _check_writer(self, sql: str, tables: set[str]) -> None:
        writer = _calling_module()
        for table in sorted(tables):
            allowed = writers_of(table, sql)
            if writer is not None and writer not in allowed:
                self.violations.append(f"{table}: written by {writer}, and only {', '.join(sorted(allowed))} may")

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


def deviations(fact: journal.Fact) -> list[str]:
    """Return a sentence for each way in which a fact is not what its kind says; nothing for a kind that is unknown."""
    kind = KINDS.get(fact.kind)
    if kind is None:
        return []  # `emit` itself refuses it
    return [
        f"{fact.kind}: its `{side}` is not what accounts/journal_kinds.py says: {error.json_path} {error.message}"
        for side, field, held in (("after", kind.after, fact.after), ("before", kind.before, fact.before))
        for error in Draft202012Validator(dict(field.schema)).iter_errors(json.loads(_ENCODER.encode(held)))
    ]


def writers_of(table: str, sql: str) -> set[str]:
    """Return the modules that may send this statement: those of the columns it sets, or all if it sets none by name."""
    groups = GROUPS[table]
    is_update = re.search(rf"\bUPDATE\s+\"?{table}\b", sql, re.IGNORECASE)
    assignments = _SET.search(sql, is_update.start()) if is_update else None
    if assignments is None:
        return {writer for group in groups for writer in group.writers}
    columns = set(_COLUMN.findall(assignments.group(1)))
    named = {_column(table, name): group.writers for group in groups for name in group.columns}
    others = {writer for group in groups if not group.columns for writer in group.writers}
    allowed = [set(named.get(column, others)) for column in columns]
    return set.intersection(*allowed) if allowed else others


def _column(table: str, name: str) -> str:
    """Return the column of a field that the stores name as the model does: `workflow` is kept in `workflow_id`."""
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    return str(model._meta.get_field(name).column)


def _calling_module() -> str | None:
    """Return the module of ours whose code sent the statement; None when a test did so itself."""
    frame = sys._getframe(1)
    while frame := frame.f_back:
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(ROOT) and ".venv" not in file.parts and file.name != Path(__file__).name:
            return None if file.is_relative_to(ROOT / "tests") else str(frame.f_globals["__name__"])
    return None
