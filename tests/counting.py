"""Counting the SQL statements of a block: what reaches the server and costs a round trip."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg
from django.db import connection
from prometheus_client import REGISTRY

COUNTED = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "COPY", "SET", "WITH"})
_FIRST_WORD = re.compile(r"^(?:\s|--[^\n]*\n|/\*.*?\*/|\()*([A-Za-z]+)", re.DOTALL)


@contextmanager
def count_statements() -> Iterator[list[str]]:
    """
    Yield a list that fills with the statements this thread sends to the database meanwhile; its length is the count.

    Not counted: BEGIN, COMMIT, ROLLBACK and savepoints. A statement run for many rows (`executemany`) is one.
    """
    statements: list[str] = []

    def note(execute: Callable[..., Any], text: str, params: object, many: bool, context: dict[str, Any]) -> Any:
        _add(statements, text)
        return execute(text, params, many, context)

    original_copy = psycopg.Cursor.copy

    def noted_copy(cursor: psycopg.Cursor[Any], statement: Any, *args: Any, **kwargs: Any) -> Any:
        _add(statements, statement if isinstance(statement, str) else statement.as_string(cursor))
        return original_copy(cursor, statement, *args, **kwargs)

    # COPY does not pass through Django's wrappers, so psycopg is asked itself.
    with connection.execute_wrapper(note), patch.object(psycopg.Cursor, "copy", noted_copy):
        yield statements


def _add(statements: list[str], text: str) -> None:
    found = _FIRST_WORD.match(text)
    if found and found.group(1).upper() in COUNTED:
        statements.append(" ".join(text.split()))


def counted(metric: str, **labels: str) -> float:
    """Return how high this process has counted a metric with these labels."""
    return REGISTRY.get_sample_value(metric, labels) or 0.0
