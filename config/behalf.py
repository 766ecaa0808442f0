"""On whose behalf is this done, and why? Said once, by the door at which somebody acts; the journal reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Behalf:
    """Somebody who acts by hand. `why` is what they gave as the reason, with the ticket that asks for it."""

    actor: str
    why: str


_current: ContextVar[Behalf | None] = ContextVar("on_behalf_of", default=None)


@contextmanager
def acting(behalf: Behalf) -> Iterator[None]:
    """Have all that is written down meanwhile, in this thread, name who acts and why."""
    token = _current.set(behalf)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Behalf | None:
    """Return on whose behalf this thread acts; None when nobody does by hand."""
    return _current.get()
