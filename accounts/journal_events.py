"""An entry as services see it: a CloudEvents 1.0 envelope, the same in the stream and over the internal API. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .journal_kinds import KINDS, Consumer

SOURCE = "/paygo/journal"
TYPE_PREFIX = "paygo."
# Compared as text, a sequence sorts as the number does.
SEQUENCE_DIGITS = 12

TO_SERVICES: tuple[str, ...] = tuple(kind for kind, row in KINDS.items() if Consumer.FANOUT in row.told)


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one entry. `account_id` and `sequence` are None where a fact is no account's."""

    entry_id: int
    kind: str
    account_id: str | None
    sequence: int | None
    actor: str
    cause: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    at: datetime


def envelope(told: Told) -> dict[str, Any]:
    """
    Return the entry's event. `id` is the entry's number: what comes twice has the same.

    The reason stays inside: where people acted by hand it is their own words, which is nothing to spread. Of the
    actor only the role is told.
    """
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(told.entry_id),
        "source": SOURCE,
        "type": f"{TYPE_PREFIX}{told.kind}",
        "time": told.at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {
            "actor": told.actor.partition(":")[0],
            "cause": told.cause,
            "before": dict(told.before),
            "after": dict(told.after),
        },
    }
    if told.account_id is not None:
        event["subject"] = told.account_id
        event["sequence"] = f"{told.sequence:0{SEQUENCE_DIGITS}}"
    return event
