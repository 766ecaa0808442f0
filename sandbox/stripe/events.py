"""Events: what happened, as Stripe tells it, and to which endpoints it is to be delivered."""

from copy import deepcopy
from typing import Any

from sandbox.world import World

from .find import find
from .ids import new_id
from .lists import page, within
from .params import PAGE, TIME_RANGE, Params, boolean, group, many, text
from .shapes import shown

Object = dict[str, Any]

API_VERSION = "2026-10-28.endive"

RETRIEVE = group()
LIST = group(created=TIME_RANGE, type=text, types=many(text), delivery_success=boolean, **PAGE)


def emit(world: World, event_type: str, stored: Object, *, before: Object | None = None) -> None:
    """
    Tell that something happened to an object, as it is now; who subscribed to the type will be sent it.

    An `updated` event carries the old values of what changed since this request began, created the object or sent
    the same event; if nothing did, there is no event. `before` is the old form of what is stored in another form.
    """
    # What happens later in the same step must not change what was told: parts of the object are shared with it.
    now_shown = deepcopy(shown(world, stored))
    data: Object = {"object": now_shown}
    if event_type.endswith(".updated"):
        changed = _changed(before or _before(world, stored, event_type), now_shown)
        if not changed:
            return
        data["previous_attributes"] = changed
    if event_type.endswith((".created", ".updated")):
        world.emitted[stored["id"], event_type.rpartition(".")[0]] = now_shown

    event = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": world.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": world.cause.request_id, "idempotency_key": world.cause.idempotency_key},
        "type": event_type,
    }
    for endpoint in world.documents.newest_first("webhook_endpoint"):
        if _wants(endpoint, event_type):
            _deliver_later(world, event, endpoint)
    world.add(event)


def retrieve(world: World, _params: Params, event_id: str) -> Object:
    return find(world, "event", event_id)


def list_events(world: World, params: Params) -> Object:
    """List events, newest first; `delivery_success=false` finds those that some endpoint has not taken."""
    wanted = set(params.get("types", ())) | ({params["type"]} if "type" in params else set())
    delivered = params.get("delivery_success")
    found = (
        event
        for event in world.documents.newest_first("event")
        if (not wanted or any(_matches(event["type"], pattern) for pattern in wanted))
        and within(event["created"], params.get("created"))
        and (delivered is None or delivered == (event["pending_webhooks"] == 0))
    )
    return page(found, params, "/v1/events")


def _deliver_later(world: World, event: Object, endpoint: Object) -> None:
    event["pending_webhooks"] += 1
    world.documents.put(
        "delivery",
        f"{event['id']}:{endpoint['id']}",
        {
            "event_id": event["id"],
            "event_type": event["type"],
            "endpoint_id": endpoint["id"],
            "object_id": event["data"]["object"]["id"],
            "attempts": 0,
            "created_at": world.clock.now(),
            "next_attempt_at": world.clock.now(),
        },
    )


def _wants(endpoint: Object, event_type: str) -> bool:
    enabled = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in enabled or event_type in enabled)


def _matches(event_type: str, pattern: str) -> bool:
    return event_type.startswith(pattern[:-1]) if pattern.endswith("*") else event_type == pattern


def _before(world: World, stored: Object, event_type: str) -> Object:
    told = world.emitted.get((stored["id"], event_type.rpartition(".")[0]))
    if told is not None:
        return told
    before = world.documents.before(stored["object"], stored["id"])
    return shown(world, before) if before is not None else shown(world, stored)


def _changed(old: Object, new: Object) -> Object:
    """Return the old values of what differs, hash by hash; a list that differs is given whole."""
    changed: Object = {}
    for name in old.keys() | new.keys():
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            changed[name] = _changed(before, after)
        else:
            changed[name] = before
    return changed
