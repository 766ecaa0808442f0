"""What a handler is given. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """
    The news of one object, whose account is known and locked. `object` is its newest state, which may be newer
    than the event's: an event says where to look, not what to do.
    """

    event_id: str
    event_type: str
    object: dict[str, Any]
    account_id: str
    now: datetime


# Returns whether anything changed beside the mirror.
Handler = Callable[[Arrival], bool]


def recorded(arrival: Arrival) -> bool:  # noqa: ARG001
    """Do nothing beside the mirror: the object is kept, and decides nothing."""
    return False
