"""Cloudflare's API for queues, as far as the sandbox imitates it: `/client/v4/accounts/{account}/queues…`."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.world import World

from .messages import BadRequest, Document, find_queue, keep_queue, messages_of, pull, push, settle, shown

PREFIX = "/client/v4/"
TOKEN = "sandbox_queues_token"  # noqa: S105  the sandbox's own, and good for nothing else
_PATH = re.compile(r"^/client/v4/accounts/([^/]+)/queues/([^/]+)(?:/(.+))?$")


class QueuesApi:
    """Answer the calls of the official SDK over one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def answer(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Return status and body; every answer is the envelope of the API."""
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return _refused(401, 10000, "Authentication error")
        found = _PATH.match(path)
        act = ACTS.get((method, found.group(3) or "")) if found else None
        if found is None or act is None:
            return _refused(404, 7003, "No route for that URI")
        try:
            said = json.loads(body or "{}")
            with self.world.transaction():
                queue = find_queue(self.world, found.group(1), found.group(2))
                if queue is None:
                    return _refused(404, 11000, "Queue not found")
                return _envelope(200, act(self.world, queue, said))
        except (BadRequest, KeyError, TypeError, AttributeError, ValueError) as wrong:
            return _refused(400, 10026, f"{type(wrong).__name__}: {wrong}")


def _retrieve(world: World, queue: Document, _said: Document) -> Document:
    return queue | {"consumers_total_count": 1, "producers_total_count": 0, **_metrics(world, queue)}


def _push(world: World, queue: Document, said: Document) -> Document:
    push(world, queue, said)
    return _metrics(world, queue)


def _push_many(world: World, queue: Document, said: Document) -> Document:
    for message in said["messages"]:
        push(world, queue, message)
    return _metrics(world, queue)


def _pull(world: World, queue: Document, said: Document) -> Document:
    taken = [shown(message) for message in pull(world, queue, said)]
    return {"messages": taken, "message_backlog_count": len(messages_of(world, queue)), **_metrics(world, queue)}


def _metrics(world: World, queue: Document) -> Document:
    waiting = messages_of(world, queue)
    oldest = min((message["pushed_at"] for message in waiting), default=0)
    size = sum(len(json.dumps(message["body"])) for message in waiting)
    metrics = {
        "backlog_bytes": size,
        "backlog_count": len(waiting),
        "oldest_message_timestamp_ms": int(oldest * 1000),
    }
    return {"metadata": {"metrics": metrics}}


ACTS: dict[tuple[str, str], Callable[[World, Document, Any], Document]] = {
    ("GET", ""): _retrieve,
    ("POST", "messages"): _push,
    ("POST", "messages/batch"): _push_many,
    ("POST", "messages/pull"): _pull,
    ("POST", "messages/ack"): settle,
}


def control_queue(world: World, said: Document) -> Document:
    """Make a queue with its dead-letter queue, or change their settings: what a dashboard would be used for."""
    with world.transaction():
        if dead := said.get("dead_letter_queue_id"):
            keep_queue(world, {"account_id": said["account_id"], "queue_id": dead})
        return dict(keep_queue(world, said))


def control_push(world: World, said: Document) -> Document:
    """Push a message without a token: `account_id`, `queue_id` and a JSON `body`."""
    with world.transaction():
        queue = find_queue(world, said["account_id"], said["queue_id"])
        if queue is None:
            raise ValueError("there is no such queue")
        return {"id": push(world, queue, {"body": said["body"], "delay_seconds": said.get("delay_seconds", 0)})["id"]}


def control_state(world: World, _said: Document) -> Document:
    """Return every queue with what is in it."""
    with world.lock:
        return {
            "queues": [
                queue | {"messages": messages_of(world, queue)} for queue in world.documents.oldest_first("cf_queue")
            ]
        }


def control_purge(world: World, _said: Document) -> Document:
    """Empty all queues."""
    with world.transaction():
        gone = [message["id"] for message in world.documents.oldest_first("cf_message")]
        for message_id in gone:
            world.documents.remove("cf_message", message_id)
        return {"purged": len(gone)}


def _envelope(status: int, result: Document) -> tuple[int, bytes]:
    return status, json.dumps({"success": True, "errors": [], "messages": [], "result": result}).encode()


def _refused(status: int, code: int, message: str) -> tuple[int, bytes]:
    body = {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
    return status, json.dumps(body).encode()
