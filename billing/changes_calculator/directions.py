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
class Move:
    """
    A component before and after; None: it is not there. `changes_licence`: another than before says that it is owned.
    """

    before: Phase | None
    after: Phase | None
    changes_licence: bool = False

    @property
    def rank_before(self) -> int:
        assert self.before is not None
        return self.before.rank

    @property
    def rank_after(self) -> int:
        assert self.after is not None
        return self.after.rank

    @property
    def is_for_the_same(self) -> bool:
        """Whether a customer asks for what they have and are billed for; a price that changed is not part of it."""
        return _wanted(self.before) == _wanted(self.after)

    def is_between(self, interval_before: str, interval_after: str) -> bool:
        assert self.before is not None
        assert self.after is not None
        return (self.before.interval, self.after.interval) == (interval_before, interval_after)


@dataclass(frozen=True, slots=True)
class Row:
    """One case."""

    because: str
    applies: Callable[[Move], bool]
    direction: Direction


# Read from the top; the first row that applies decides.
ROWS: tuple[Row, ...] = (
    Row("nothing was there",   lambda move: move.before is None,                        Direction.GROWING),
    Row("it goes",             lambda move: move.after is None,                         Direction.SHRINKING),
    # What was granted is paid for, or the other way round: it starts now, whatever it was worth before.
    Row("another licence",     lambda move: move.changes_licence and move.rank_after > 0, Direction.GROWING),
    Row("it is so already",    lambda move: move.is_for_the_same,                       Direction.SAME),
    Row("it was free",         lambda move: move.rank_before == 0,                      Direction.GROWING),
    Row("it ends",             lambda move: move.rank_after == 0,                       Direction.SHRINKING),
    Row("yearly to monthly",   lambda move: move.is_between("year", "month"),           Direction.SHRINKING),
    Row("smaller",             lambda move: move.rank_after < move.rank_before,         Direction.SHRINKING),
    Row("larger",              lambda move: move.rank_after > move.rank_before,         Direction.GROWING),
    Row("monthly to yearly",   lambda move: move.is_between("month", "year"),           Direction.GROWING),
    Row("another price",       lambda _move: True,                                      Direction.GROWING),
)  # fmt: skip


def direction_of(before: Phase | None, after: Phase | None, *, changes_licence: bool = False) -> Row:
    """Return the row that says which way a component goes from `before` to `after`, and why."""
    move = Move(before, after, changes_licence)
    return next(row for row in ROWS if row.applies(move))


def _wanted(phase: Phase | None) -> tuple[object, ...]:
    assert phase is not None
    return phase.value, phase.billed_quantity, phase.interval if phase.rank else ""
