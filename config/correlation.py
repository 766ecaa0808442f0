"""What is all of this part of? One event, or one request: said once where it begins; the journal reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("correlation_id", default="")


@contextmanager
def part_of(correlation_id: str) -> Iterator[None]:
    """Have every journal entry that this thread writes meanwhile carry this id, unless it has one of its own."""
    token = _current.set(correlation_id)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> str:
    """Return what this thread's work is part of; empty for what a sweep does by itself."""
    return _current.get()
