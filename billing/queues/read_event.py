"""What the registrar's messages say. Pure."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

LONGEST_REGISTRATION_YEARS = 10
_DOMAIN = re.compile(r"^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$")
_ACCOUNT = re.compile(r"^[0-9a-f]{32}$")
_EVENT_ID = re.compile(r"^[\w.:-]{1,64}$")


class EventKind(StrEnum):
    """What happens to a domain at the registrar."""

    REGISTERED = "registered"
    RENEWED = "renewed"
    TRANSFERRED_IN = "transferred_in"
    AUTO_RENEW_CHANGED = "auto_renew_changed"
    EXPIRED = "expired"
    DELETED = "deleted"


class BadEvent(ValueError):
    """No event of the registrar's that we know; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class RegistrarEvent:
    """
    One event. `expires_at` is when the domain expires once the event is true: of a renewal, the new expiry.

    `years` are those to be paid for, by events that ask for a payment; `auto_renew` is what it is after the event.
    """

    id: str
    kind: EventKind
    account_id: str
    domain: str
    occurred_at: datetime
    expires_at: datetime
    years: int
    auto_renew: bool


def read_event(body: str) -> RegistrarEvent:
    """
    Return the event that a message's body says.

    :raises BadEvent: it says none.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadEvent("the body is no JSON") from error
    if not isinstance(said, dict) or not isinstance(said.get("domain"), dict):
        raise BadEvent("the body is no event: it has no domain")
    domain = said["domain"]
    return RegistrarEvent(
        id=_matching(said, "id", _EVENT_ID),
        kind=_kind(said.get("type")),
        account_id=_matching(said, "account_id", _ACCOUNT),
        domain=_matching(domain, "name", _DOMAIN),
        occurred_at=_time(said, "occurred_at"),
        expires_at=_time(domain, "expires_at"),
        years=_years(domain.get("years", 1)),
        auto_renew=_flag(domain.get("auto_renew", True)),
    )


def _kind(said: object) -> EventKind:
    if not isinstance(said, str) or said not in set(EventKind):
        raise BadEvent(f"type is none of {', '.join(EventKind)}")
    return EventKind(said)


def _matching(said: dict[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = said.get(name)
    value = value.lower().rstrip(".") if name == "name" and isinstance(value, str) else value
    if not isinstance(value, str) or not form.match(value):
        raise BadEvent(f"{name} is missing or malformed")
    return value


def _time(said: dict[str, Any], name: str) -> datetime:
    try:
        at = datetime.fromisoformat(said[name])
    except (KeyError, TypeError, ValueError) as error:
        raise BadEvent(f"{name} is no ISO 8601 time") from error
    if at.tzinfo is None:
        raise BadEvent(f"{name} has no time zone")
    return at


def _years(said: object) -> int:
    if not isinstance(said, int) or isinstance(said, bool) or not 1 <= said <= LONGEST_REGISTRATION_YEARS:
        raise BadEvent(f"years is no whole number from 1 to {LONGEST_REGISTRATION_YEARS}")
    return said


def _flag(said: object) -> bool:
    if not isinstance(said, bool):
        raise BadEvent("auto_renew is neither true nor false")
    return said
