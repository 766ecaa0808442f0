"""Faults on demand: the ways in which a processor and the network between fail, each by a control call."""

import random
from dataclasses import dataclass
from typing import Any

from .stripe.ids import new_id
from .world import World

Document = dict[str, Any]

# What may go wrong with a call of the API …
CALL_FAULTS = {
    "rate_limit": "429, nothing done",
    "lock_timeout": "429 with `stripe-should-retry: true`, nothing done",
    "server_error": "500, nothing done",
    "slow": "the answer takes `seconds`, the work is done before",
    "time_out": "nothing done, and no answer for `seconds`; then the connection is cut",
    "cut": "done, but the connection is cut before the answer",
    "outage": "503 to everything for `minutes` of the sandbox's time",
}
# … and with the delivery of an event.
WEBHOOK_FAULTS = {
    "webhook_duplicated": "delivered twice",
    "webhook_shuffled": "delivered after up to `seconds` (5) of machine time, so that later ones overtake it",
    "webhook_delayed": "delivered `seconds` of the sandbox's time later",
    "webhook_dropped": "never delivered, though listed as an event",
    "webhook_forged": "delivered once with a wrong signature, then rightly",
}
KINDS = {**CALL_FAULTS, **WEBHOOK_FAULTS}
DEFAULT_SECONDS = {"slow": 1.0, "time_out": 30.0, "webhook_shuffled": 5.0, "webhook_delayed": 3600.0}


class NoSuchFault(ValueError):
    """A fault was asked for that makes no sense; nothing was planned."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that strikes now."""

    kind: str
    seconds: float


def plan_fault(world: World, said: Document) -> Document:
    """
    Plan a fault: `kind`, and what it strikes.

    `operation` (of the API, such as `Invoice.pay`) or event `type` narrows it, `count` limits how often it strikes
    (once unless told otherwise; 0 is without limit), `probability` with `seed` leaves it to a chance that repeats.

    :raises NoSuchFault: an unknown kind or member.
    """
    allowed = {"kind", "operation", "type", "count", "probability", "seed", "seconds", "minutes"}
    if said.get("kind") not in KINDS or not said.keys() <= allowed:
        raise NoSuchFault(f"kind is one of {', '.join(KINDS)}; beside it {', '.join(sorted(allowed - {'kind'}))}")
    kind = said["kind"]
    fault = {
        "id": new_id("fault"),
        "kind": kind,
        "matches": said.get("operation") or said.get("type"),
        "left": None if kind == "outage" or said.get("count") == 0 else int(said.get("count", 1)),
        "probability": float(said.get("probability", 1.0)),
        "seed": int(said.get("seed", 0)),
        "drawn": 0,
        "seconds": float(said.get("seconds", DEFAULT_SECONDS.get(kind, 0.0))),
        "until": world.clock.now() + 60 * float(said.get("minutes", 60)) if kind == "outage" else None,
    }
    with world.transaction():
        world.documents.put("fault", fault["id"], fault)
    return fault


def planned_faults(world: World) -> list[Document]:
    return world.documents.oldest_first("fault")


def forget_faults(world: World) -> None:
    """Let everything work again."""
    with world.transaction():
        for fault in planned_faults(world):
            world.documents.remove("fault", fault["id"])


def strike_call(world: World, operation: str) -> Fault | None:
    """Return the fault that strikes a call of the API now, and count it; None lets the call through."""
    return _strike(world, CALL_FAULTS, operation)


def strike_webhook(world: World, event_type: str) -> Fault | None:
    """Return the fault that strikes the delivery of an event now, and count it; None lets it through."""
    return _strike(world, WEBHOOK_FAULTS, event_type)


def _strike(world: World, kinds: dict[str, str], what: str) -> Fault | None:
    for fault in planned_faults(world):
        if fault["kind"] not in kinds or fault["matches"] not in (None, what):
            continue
        if _is_over(world, fault):
            world.documents.remove("fault", fault["id"])
            continue
        if _strikes(world, fault):
            return Fault(fault["kind"], fault["seconds"])
    return None


def _is_over(world: World, fault: Document) -> bool:
    return fault["left"] == 0 or (fault["until"] is not None and world.clock.now() >= fault["until"])


def _strikes(world: World, fault: Document) -> bool:
    """Draw, reproducibly: the n-th draw of a seed is the same in every run, also after a restart."""
    fault = world.documents.edit("fault", fault["id"])
    fault["drawn"] += 1
    if random.Random(f"{fault['seed']}:{fault['drawn']}").random() >= fault["probability"]:  # noqa: S311  (no secret)
        return False
    if fault["left"] is not None:
        fault["left"] -= 1
    return True
