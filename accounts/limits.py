"""How many requests the APIs take, of whom and in what time. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Of(StrEnum):
    """Whose requests are counted together."""

    TOKEN = "token"  # noqa: S105  no password
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many requests in each window of so many seconds; `writes_only`: those that may change something."""

    name: str
    of: Of
    requests: int
    seconds: int
    writes_only: bool = False


# All of them hold. The first is the public API's own.
LIMITS: tuple[Limit, ...] = (
    Limit("token", Of.TOKEN, requests=1200, seconds=300),
    Limit("account", Of.ACCOUNT, requests=3000, seconds=300),
    Limit("account_writes", Of.ACCOUNT, requests=300, seconds=60, writes_only=True),
)

READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Window:
    """One counter: what it is called while it lasts, how high it may go, and in how many seconds it is over."""

    key: str
    limit: Limit
    seconds_left: float


def windows(*, token_id: str, account_id: str, method: str, machine_now: datetime) -> tuple[Window, ...]:
    """Return the counters that one request adds to; without an account, those of the token alone."""
    now = machine_now.timestamp()
    found = []
    for limit in LIMITS:
        whose = token_id if limit.of is Of.TOKEN else account_id
        if not whose or (limit.writes_only and method in READS):
            continue
        number = int(now // limit.seconds)
        found.append(Window(f"{limit.name}:{whose}:{number}", limit, (number + 1) * limit.seconds - now))
    return tuple(found)
