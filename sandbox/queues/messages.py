"""Messages of a queue: pushed, pulled under a lease, acknowledged, tried again later, or given up for dead."""

import base64
import json
import time
from typing import Any
from uuid import uuid4

from sandbox.world import World

Document = dict[str, Any]

QUEUE, MESSAGE = "cf_queue", "cf_message"
LARGEST_BATCH = 100
LONGEST_LEASE_MS = 12 * 60 * 60 * 1000
LONGEST_DELAY_SECONDS = 12 * 60 * 60
DEFAULTS = {"batch_size": 5, "visibility_timeout_ms": 30_000, "max_retries": 3}


class BadRequest(Exception):
    """The call makes no sense; the message says why."""


def keep_queue(world: World, said: Document) -> Document:
    """Make a queue, or change the settings of one. `dead_letter_queue_id` is for what can't be delivered."""
    settings = {name: int(said.get(name, value)) for name, value in DEFAULTS.items()}
    place = _place(said["account_id"], said["queue_id"])
    queue = {
        "account_id": said["account_id"],
        "queue_id": said["queue_id"],
        "queue_name": said.get("queue_name", said["queue_id"]),
        "dead_letter_queue_id": said.get("dead_letter_queue_id", ""),
        "settings": settings,
    }
    return world.documents.put(QUEUE, place, queue)


def find_queue(world: World, account_id: str, queue_id: str) -> Document | None:
    """Return a queue of this account, None if there is none of that id."""
    return world.documents.get(QUEUE, _place(account_id, queue_id))


def push(world: World, queue: Document, said: Document) -> Document:
    """Put one message at the end of a queue; it is delivered once its delay, in business time, is over."""
    content_type = said.get("content_type", "json")
    if content_type not in ("json", "text") or "body" not in said:
        raise BadRequest("a message has a body, and a content_type: json or text")
    if content_type == "text" and not isinstance(said["body"], str):
        raise BadRequest("the body of a text is a string")
    delay_seconds = _number(said, "delay_seconds", 0, LONGEST_DELAY_SECONDS)
    message_id = uuid4().hex
    message = {
        "id": message_id,
        "queue": _place(queue["account_id"], queue["queue_id"]),
        "content_type": content_type,
        "body": said["body"],
        "attempts": 0,
        "pushed_at": world.clock.now(),
        "visible_at": world.clock.now() + delay_seconds,
        "lease_id": "",
        "leased_until": 0.0,
    }
    return world.documents.put(MESSAGE, message_id, message)


def pull(world: World, queue: Document, said: Document) -> list[Document]:
    """
    Lease up to `batch_size` messages to the caller for `visibility_timeout_ms`, the oldest first, and return them.

    A lease measures a process, so it is machine time; what is not acknowledged by its end is delivered again.
    """
    settings = queue["settings"]
    size = int(_number(said, "batch_size", settings["batch_size"], LARGEST_BATCH))
    lease_ms = _number(said, "visibility_timeout_ms", settings["visibility_timeout_ms"], LONGEST_LEASE_MS)
    taken: list[Document] = []
    for message in messages_of(world, queue):
        if len(taken) == size:
            break
        if not is_ready(world, message):
            continue
        if message["attempts"] > settings["max_retries"]:
            _give_up(world, queue, message)
            continue
        leased = world.documents.edit(MESSAGE, message["id"])
        leased.update(
            attempts=message["attempts"] + 1, lease_id=uuid4().hex, leased_until=time.time() + lease_ms / 1000
        )
        taken.append(leased)
    return taken


def settle(world: World, queue: Document, said: Document) -> Document:
    """Acknowledge messages and put others back, by their leases; one whose lease is over is warned about."""
    warnings: dict[str, str] = {}
    counts = {"acks": 0, "retries": 0}
    held = {message["lease_id"]: message for message in messages_of(world, queue) if _is_leased(message)}
    for what in ("acks", "retries"):
        for entry in said.get(what, ()):
            message = held.pop(entry["lease_id"], None)
            if message is None:
                warnings[entry["lease_id"]] = "the lease is unknown or over"
                continue
            counts[what] += 1
            if what == "acks":
                world.documents.remove(MESSAGE, message["id"])
            elif message["attempts"] > queue["settings"]["max_retries"]:
                _give_up(world, queue, message)
            else:
                delay_seconds = _number(entry, "delay_seconds", 0, LONGEST_DELAY_SECONDS)
                back = world.documents.edit(MESSAGE, message["id"])
                back.update(lease_id="", leased_until=0.0, visible_at=world.clock.now() + delay_seconds)
    return {"ackCount": counts["acks"], "retryCount": counts["retries"], "warnings": warnings}


def messages_of(world: World, queue: Document) -> list[Document]:
    """Return everything in a queue, the oldest first, what is leased or waits too."""
    place = _place(queue["account_id"], queue["queue_id"])
    return [message for message in world.documents.oldest_first(MESSAGE) if message["queue"] == place]


def is_ready(world: World, message: Document) -> bool:
    """Whether a message can be pulled now."""
    return bool(message["visible_at"] <= world.clock.now()) and not _is_leased(message)


def to_come(world: World) -> tuple[int, list[float]]:
    """Return how many messages are ready or leased, and when others will be; those of dead-letter queues aside."""
    queues = world.documents.oldest_first(QUEUE)
    dead = {_place(queue["account_id"], queue["dead_letter_queue_id"]) for queue in queues}
    live = [message for message in world.documents.oldest_first(MESSAGE) if message["queue"] not in dead]
    later = [message["visible_at"] for message in live if message["visible_at"] > world.clock.now()]
    return len(live) - len(later), later


def shown(message: Document) -> Document:
    """Return a message as a pull answers it: JSON comes in base64, as its metadata says."""
    body = message["body"]
    if message["content_type"] == "json":
        body = base64.b64encode(json.dumps(body).encode()).decode()
    return {
        "id": message["id"],
        "attempts": message["attempts"],
        "body": body,
        "lease_id": message["lease_id"],
        "metadata": {"CF-Content-Type": message["content_type"], "CF-sourceMessageSource": "sandbox"},
        "timestamp_ms": int(message["pushed_at"] * 1000),
    }


def _give_up(world: World, queue: Document, message: Document) -> None:
    """Move a message that was tried too often to the dead-letter queue; without one it is gone."""
    if not queue["dead_letter_queue_id"]:
        world.documents.remove(MESSAGE, message["id"])
        return
    dead = world.documents.edit(MESSAGE, message["id"])
    dead.update(
        queue=_place(queue["account_id"], queue["dead_letter_queue_id"]), lease_id="", leased_until=0.0, attempts=0
    )


def _is_leased(message: Document) -> bool:
    return bool(message["lease_id"]) and message["leased_until"] > time.time()


def _place(account_id: str, queue_id: str) -> str:
    return f"{account_id}/{queue_id}"


def _number(said: Document, name: str, default: float, largest: float) -> float:
    value = said.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= largest:
        raise BadRequest(f"{name} must be a number from 0 to {largest}")
    return value
