"""The controls under `/_sandbox`: what a test, the clock command or a person may do that Stripe has no call for."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from . import bank, faults, pages
from .clock import ClockMovesForwardOnly
from .delivery import is_due
from .queues.api import control_purge, control_push, control_queue, control_state
from .queues.messages import to_come
from .stripe import settings, webhook_endpoints
from .stripe.authentication import intent_by_secret
from .stripe.cards import CARDS
from .stripe.errors import StripeRefusal
from .stripe.events import API_VERSION
from .stripe.find import newest
from .timekeeper import advance
from .world import World

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of the controls."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Control:
    """Answer the calls under `/_sandbox`."""

    def __init__(self, world: World) -> None:
        self.world = world

    def answer(self, method: str, path: str, query: str, body: str, headers: Mapping[str, str]) -> Page:
        """Return JSON, or HTML for the two pages; a call that makes no sense is 400 and says why."""
        said = dict(parse_qsl(query))
        from_browser = "form-urlencoded" in headers.get("content-type", "")
        try:
            said |= dict(parse_qsl(body)) if from_browser else _json(body)
            if (method, path) in PAGES:
                return _html(PAGES[method, path](self.world, said))
            if (method, path) not in CALLS:
                return _as_json(404, {"error": f"there is no {method} {path}"})
            result = CALLS[method, path](self.world, said)
        except (ClockMovesForwardOnly, KeyError, TypeError, ValueError) as wrong:
            return _as_json(400, {"error": f"{type(wrong).__name__}: {wrong}"})
        except StripeRefusal as refusal:
            return _as_json(refusal.status, {"error": refusal.error})
        return _html(pages.outcome(result)) if from_browser else _as_json(200, result)


def health(world: World, _said: Document) -> Document:
    return {"ok": True, "api_version": API_VERSION, "now": world.clock.now(), "frozen": world.clock.is_frozen}


def put_endpoint(world: World, said: Document) -> Document:
    """Register a webhook endpoint with a secret the caller chose; the same url again replaces its settings."""
    with world.transaction():
        known = next((found for found in newest(world, "webhook_endpoint") if found["url"] == said["url"]), None)
        if known is None:
            known = webhook_endpoints.register(
                world, url=said["url"], secret=said["secret"], enabled_events=list(said["enabled_events"])
            )
        else:
            world.edit(known).update(
                _secret=said["secret"], enabled_events=list(said["enabled_events"]), status="enabled"
            )
        return {"id": known["id"], "url": known["url"], "enabled_events": known["enabled_events"]}


def calls(world: World, _said: Document) -> Document:
    """Return how often each operation of Stripe's API was called since the count began."""
    with world.lock:
        return {"calls": dict(sorted(world.calls.items())), "total": world.calls.total()}


def forget_calls(world: World, _said: Document) -> Document:
    world.forget_calls()
    return {"calls": {}, "total": 0}


def clock(world: World, _said: Document) -> Document:
    return {"now": world.clock.now(), "frozen": world.clock.is_frozen, "setting": world.clock.setting}


def set_clock(world: World, said: Document) -> Document:
    """
    Freeze the clock at a time, let it run with an offset, or advance it; what falls due on the way is done.

    :raises ValueError: not exactly one of `frozen_at`, `offset_seconds`, `advance_to`.
    """
    if len(said) != 1 or not said.keys() <= {"frozen_at", "offset_seconds", "advance_to"}:
        raise ValueError("say one of frozen_at, offset_seconds, advance_to")
    with world.lock:
        if "offset_seconds" in said:
            world.clock.run_with_offset(float(said["offset_seconds"]))
            advance(world, world.clock.now())
        elif "frozen_at" in said:
            advance(world, float(said["frozen_at"]))
            world.clock.freeze(float(said["frozen_at"]))
        else:
            advance(world, float(said["advance_to"]))
    return clock(world, {})


def pending(world: World, _said: Document) -> Document:
    """
    Return what is still to come: webhooks and messages not yet taken, and when something is next due by the clock.

    `next_due` is the earliest of the agenda, of webhooks that wait for a later attempt and of messages put off.
    """
    with world.lock:
        deliveries = list(world.documents.newest_first("delivery"))
        waiting = [delivery for delivery in deliveries if not is_due(world, delivery)]
        agenda = world.agenda.in_order()
        messages_due, messages_later = to_come(world)
    times = [entry["due_at"] for entry in agenda] + [delivery["next_attempt_at"] for delivery in waiting]
    return {
        "now": world.clock.now(),
        "webhooks": len(deliveries),
        "webhooks_due": len(deliveries) - len(waiting),
        "messages_due": messages_due,
        "next_due": min([*times, *messages_later], default=None),
        "agenda": agenda[:20],
    }


def forget_agenda(world: World, _said: Document) -> Document:
    """Let nothing happen by itself that is planned now: subscriptions of a story that is over never renew."""
    with world.transaction():
        planned = world.agenda.in_order()
        for entry in planned:
            world.agenda.drop(entry["act"], entry["object_id"])
    return {"forgotten": len(planned)}


def cards(_world: World, _said: Document) -> Document:
    """Return every test card and how the bank behind it answers."""
    return {"cards": [{"number": card.number, "brand": card.brand, "behaviour": card.meaning} for card in CARDS]}


def billing_settings(world: World, said: Document) -> Document:
    """Change the settings a dashboard would hold (see stripe/settings.py); return those in force."""
    if not said:
        return settings.read(world)
    with world.transaction():
        return settings.change(world, said)


def plan_fault(world: World, said: Document) -> Document:
    return faults.plan_fault(world, said)


def list_faults(world: World, _said: Document) -> Document:
    with world.lock:
        return {"faults": faults.planned_faults(world), "kinds": faults.KINDS}


def forget_faults(world: World, _said: Document) -> Document:
    faults.forget_faults(world)
    return {"faults": []}


def authentication_page(world: World, said: Document) -> str:
    with world.lock:
        return pages.authentication(intent_by_secret(world, said["client_secret"]), said["client_secret"])


def state_page(world: World, _said: Document) -> str:
    with world.lock:
        return pages.state(world)


CALLS: dict[tuple[str, str], Callable[[World, Document], Document]] = {
    **bank.ACTS,
    ("GET", "/_sandbox/health"): health,
    ("PUT", "/_sandbox/endpoints"): put_endpoint,
    ("GET", "/_sandbox/calls"): calls,
    ("DELETE", "/_sandbox/calls"): forget_calls,
    ("GET", "/_sandbox/clock"): clock,
    ("POST", "/_sandbox/clock"): set_clock,
    ("GET", "/_sandbox/pending"): pending,
    ("DELETE", "/_sandbox/agenda"): forget_agenda,
    ("GET", "/_sandbox/settings"): billing_settings,
    ("PUT", "/_sandbox/settings"): billing_settings,
    ("GET", "/_sandbox/faults"): list_faults,
    ("POST", "/_sandbox/faults"): plan_fault,
    ("DELETE", "/_sandbox/faults"): forget_faults,
    ("GET", "/_sandbox/cards"): cards,
    ("GET", "/_sandbox/queues"): control_state,
    ("PUT", "/_sandbox/queues"): control_queue,
    ("POST", "/_sandbox/queues/messages"): control_push,
    ("DELETE", "/_sandbox/queues/messages"): control_purge,
}
PAGES: dict[tuple[str, str], Callable[[World, Document], str]] = {
    ("GET", "/_sandbox"): state_page,
    ("GET", "/_sandbox/"): state_page,
    ("GET", "/_sandbox/authenticate"): authentication_page,
}


def _json(body: str) -> Document:
    value = json.loads(body or "{}")
    if not isinstance(value, dict):
        raise ValueError("the body is no JSON object")
    return value


def _as_json(status: int, value: Document) -> Page:
    return Page(status, json.dumps(value, indent=2).encode())


def _html(text: str) -> Page:
    return Page(200, text.encode(), "text/html; charset=utf-8")
