"""
The state of an OPE emerges from five signals. Pure; this table is the only place that says how.

Both the Python function and the SQL expression are made from the table, so they can't disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class OpeState(StrEnum):
    """What an OPE is, derived and never stored."""

    DELETED = "DELETED"
    CHANGING = "CHANGING"
    PENDING = "PENDING"
    CANCEL_SCHEDULED = "CANCEL_SCHEDULED"
    DOWNGRADE_SCHEDULED = "DOWNGRADE_SCHEDULED"
    GRANTED = "GRANTED"
    ACTIVE = "ACTIVE"


# The signals, and where a row keeps each. `scheduled_rank` is 0 for the free or empty value.
SIGNALS: dict[str, str] = {
    "deleted_date":      "deleted_date",
    "workflow_id":       "workflow_id",
    "license_source_id": "license_source_id",
    "scheduled_rank":    "(value_phases -> 1 ->> 'rank')::int",
}  # fmt: skip

Signals = Mapping[str, object]


class Condition(Protocol):
    """A test of one signal that can be said in Python and in SQL."""

    def holds(self, signals: Signals) -> bool: ...

    def sql(self) -> str: ...


@dataclass(frozen=True, slots=True)
class IsSet:
    signal: str

    def holds(self, signals: Signals) -> bool:
        return signals[self.signal] is not None

    def sql(self) -> str:
        return f"{SIGNALS[self.signal]} IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Equals:
    signal: str
    value: int

    def holds(self, signals: Signals) -> bool:
        return signals[self.signal] == self.value

    def sql(self) -> str:
        return f"{SIGNALS[self.signal]} = {self.value}"


@dataclass(frozen=True, slots=True)
class StartsWith:
    signal: str
    prefixes: tuple[str, ...]

    def holds(self, signals: Signals) -> bool:
        return str(signals[self.signal]).startswith(self.prefixes)

    def sql(self) -> str:
        tests = (f"starts_with({SIGNALS[self.signal]}, '{prefix}')" for prefix in self.prefixes)
        return f"({' OR '.join(tests)})"


# Read from the top; the first row that holds is the state. While CHANGING, phase 0 is still what the customer owns.
STATES: tuple[tuple[OpeState, Condition], ...] = (
    (OpeState.DELETED,             IsSet("deleted_date")),
    (OpeState.CHANGING,            IsSet("workflow_id")),
    (OpeState.PENDING,             StartsWith("license_source_id", ("PENDING:",))),
    (OpeState.CANCEL_SCHEDULED,    Equals("scheduled_rank", 0)),
    (OpeState.DOWNGRADE_SCHEDULED, IsSet("scheduled_rank")),
    (OpeState.GRANTED,             StartsWith("license_source_id", ("ADMIN:", "USER:", "CONTRACT:"))),
    (OpeState.ACTIVE,              StartsWith("license_source_id", ("sub_", "in_"))),
)  # fmt: skip

STATE_SQL = "CASE " + " ".join(f"WHEN {test.sql()} THEN '{state.value}'" for state, test in STATES) + " END"


def state_of(signals: Signals) -> OpeState:
    """
    Return the state that these signals mean.

    :raises StopIteration: the license source has no known form, which a CHECK constraint refuses to store.
    """
    return next(state for state, test in STATES if test.holds(signals))
