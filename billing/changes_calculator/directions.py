"""Does a component grow, now and paid for, or shrink, at the end of what was paid? Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ..objectproducts.phases import Phase


class Direction(StrEnum):
    """Which way a component goes; a request may have components of each."""

    SAME = "same"
    GROWING = "growing"
    SHRINKING = "shrinking"


@dataclass(frozen=True, slots=True)
class Row:
    """One case; `before` None: nothing was there."""

    because: str
    applies: Callable[[Phase | None, Phase], bool]
    direction: Direction


# Read from the top; the first row that applies decides.
ROWS: tuple[Row, ...] = (
    Row("nothing was there",   lambda before, _after: before is None,                          Direction.GROWING),
    Row("it is so already",    lambda before, after: _wanted(before) == _wanted(after),        Direction.SAME),
    Row("it was free",         lambda before, _after: _rank(before) == 0,                      Direction.GROWING),
    Row("it ends",             lambda _before, after: after.rank == 0,                         Direction.SHRINKING),
    Row("yearly to monthly",   lambda before, after: _moves(before, after, "year", "month"),   Direction.SHRINKING),
    Row("smaller",             lambda before, after: after.rank < _rank(before),               Direction.SHRINKING),
    Row("larger",              lambda before, after: after.rank > _rank(before),               Direction.GROWING),
    Row("monthly to yearly",   lambda before, after: _moves(before, after, "month", "year"),   Direction.GROWING),
    Row("another price",       lambda _before, _after: True,                                   Direction.GROWING),
)  # fmt: skip


# What was granted is paid for, or the other way round: it starts now, whatever it was worth before.
ANOTHER_LICENCE = Row("another licence", lambda _before, after: after.rank > 0, Direction.GROWING)


def direction_of(before: Phase | None, after: Phase, *, changes_licence: bool = False) -> Row:
    """Return the row that says which way a component goes from `before` to `after`, and why."""
    if changes_licence and before is not None and ANOTHER_LICENCE.applies(before, after):
        return ANOTHER_LICENCE
    return next(row for row in ROWS if row.applies(before, after))


def _wanted(phase: Phase | None) -> tuple[object, ...]:
    """What a customer asks for and is billed for; a price that changed since is not part of it."""
    assert phase is not None
    return phase.value, phase.billed_quantity, phase.interval if phase.rank else ""


def _rank(phase: Phase | None) -> int:
    assert phase is not None
    return phase.rank


def _moves(before: Phase | None, after: Phase, from_interval: str, to_interval: str) -> bool:
    assert before is not None
    return (before.interval, after.interval) == (from_interval, to_interval)
