"""How each type of account is treated when it owes: one table, with a version that every decision keeps. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Treatment(StrEnum):
    """What we do about debt at all."""

    COLLECT = "collect"  # retries, a grace period, consequences
    REMIND = "remind"  # a contract: people talk to people
    SKIP = "skip"  # somebody else's customer


class Lift(StrEnum):
    """What must be paid before restrictions go."""

    LATEST = "latest"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Cell:
    """
    The treatment of one account type.

    `retry_after_hours`: the waits between scheduled charges; the first charge is none of them. The grace period begins
    with the first failure. It ends with the outcome of the last scheduled charge, or after `grace_hours` where no
    charge is possible, or where all of it is waited out. `net_days`: how long after it was finalised an invoice is
    overdue. The other booleans are what bad debt brings.
    """

    treatment: Treatment
    retry_after_hours: tuple[int, ...] = ()
    grace_hours: int = 0
    waits_out_grace: bool = False
    net_days: int = 0
    flags: bool = False
    bans: bool = False
    cancels: bool = False
    lift: Lift = Lift.LATEST


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of the table. A type that it does not know is skipped, and somebody is told."""

    version: int
    cells: Mapping[str, Cell]


# A retry that comes late (we were down) is not followed by the next at once.
LEAST_HOURS_BETWEEN_RETRIES = 12
# A decline that passes is tried again so soon, so often, before the schedule goes on.
RETRY_SOON_AFTER_HOURS = 1
RETRY_SOON_TIMES = 2
# No charge is possible: the last scheduled one would have been at 120 h, and gets six hours to have its outcome.
_GRACE_HOURS = 126

_DAILY = (24, 24, 24, 24, 24)
_PAY_GO = Cell(Treatment.COLLECT, _DAILY, _GRACE_HOURS, flags=True, bans=True, cancels=True)
_CONTRACT = Cell(Treatment.REMIND, net_days=30)
_SKIP = Cell(Treatment.SKIP)

POLICY = Policy(
    version=1,
    cells={
        "pay_go":          _PAY_GO,
        "startup":         _PAY_GO,
        "election":        _PAY_GO,
        "galileo":         _PAY_GO,
        "employee":        _PAY_GO,
        "intern":          _PAY_GO,
        "pangea":          _PAY_GO,
        "partners_basic":  _PAY_GO,
        "china":           _PAY_GO,
        "academic":        Cell(Treatment.COLLECT, _DAILY, 30 * 24, waits_out_grace=True, flags=True, lift=Lift.ALL),
        "sponsored":       Cell(Treatment.COLLECT, cancels=True),
        "enterprise":      _CONTRACT,
        "cloudflare_ent":  _CONTRACT,
        "ad_hoc_contract": _CONTRACT,
        "partners_ent":    _CONTRACT,
        "msp":             _CONTRACT,
        "partner":         _SKIP,
        "partners_pay_go": _SKIP,
        "sfcc":            _SKIP,
        "jdc":             _SKIP,
        "ibm":             _SKIP,
    },
)  # fmt: skip
