"""Deliver events to webhook endpoints: signed, in order where nothing fails, at least once, retried for three days."""

import hashlib
import hmac
import http.client
import json
import random
import sys
import threading
import time
import traceback
from typing import Any
from urllib.parse import urlsplit

from .faults import planned_faults, strike_webhook
from .stripe.renewals import created_was_answered
from .stripe.shapes import shown
from .world import World

Document = dict[str, Any]

TIMEOUT_SECONDS = 20.0
# What is under way when the sandbox stops is delivered again by the next one.
STOP_SECONDS = 2.0
BATCH = 50
# Stripe's waiting times between attempts, in clock time; the last one repeats until three days are over.
BACKOFF_SECONDS = (60, 300, 1800, 7200, 18_000, 36_000, 43_200)
GIVE_UP_SECONDS = 3 * 24 * 60 * 60
# What nobody listens to is a local restart, no business event: it is retried after machine time, quickly.
RESTART_BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
LONGEST_NAP_SECONDS = 0.2


class Courier(threading.Thread):
    """
    The one thread that delivers. Attempts happen outside the world's lock, their outcomes are recorded within it;
    killed between the two, it delivers again after a restart.
    """

    def __init__(self, world: World) -> None:
        super().__init__(name="courier", daemon=True)
        self.world = world
        self.waker = threading.Event()
        self.stopping = False
        self.connections: dict[str, http.client.HTTPConnection] = {}
        world.wakers.append(self.waker)

    def run(self) -> None:
        while not self.stopping:
            try:
                is_idle = self._deliver_what_is_due() == 0
            except Exception:  # noqa: BLE001  (a bug must not end all deliveries; the delivery is tried again)
                traceback.print_exc(file=sys.stderr)
                is_idle = True
            if is_idle:
                self.waker.wait(LONGEST_NAP_SECONDS)
                self.waker.clear()

    def stop(self) -> None:
        self.stopping = True
        self.waker.set()
        self.join(timeout=STOP_SECONDS)

    def _deliver_what_is_due(self) -> int:
        due = self._due()
        for delivery in due:
            if not self.stopping:
                self._attempt(delivery)
        return len(due)

    def _due(self) -> list[Document]:
        with self.world.lock:
            waiting = self.world.documents.oldest_first("delivery")
            return [delivery for delivery in waiting if is_due(self.world, delivery)][:BATCH]

    def _attempt(self, delivery: Document) -> None:
        with self.world.lock:
            event = self.world.documents.get("event", delivery["event_id"])
            endpoint = self.world.documents.get("webhook_endpoint", delivery["endpoint_id"])
            if event is None or endpoint is None or endpoint.get("deleted"):
                return
            payload = json.dumps(shown(self.world, event), indent=2).encode()
            url, secret = endpoint["url"], endpoint["_secret"]
        with self.world.transaction():
            fault = strike(self.world, delivery)
        if fault in ("webhook_delayed", "webhook_shuffled", "webhook_dropped"):
            return
        if fault == "webhook_forged":
            self._post(url, payload, signature(payload, "whsec_wrong", at=int(time.time())))
        if fault == "webhook_duplicated":
            self._post(url, payload, signature(payload, secret, at=int(time.time())))
        status = self._post(url, payload, signature(payload, secret, at=int(time.time())))
        with self.world.transaction():
            record_outcome(self.world, delivery, status)

    def _post(self, url: str, payload: bytes, signed: str) -> int | None:
        """Return the endpoint's status, None if nobody answered."""
        target = urlsplit(url)
        path = f"{target.path or '/'}?{target.query}" if target.query else target.path or "/"
        headers = {
            "content-type": "application/json; charset=utf-8",
            "stripe-signature": signed,
            "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        # A connection that was kept open may have been closed meanwhile; a fresh one tells whether anybody is there.
        for fresh in (False, True):
            connection = self._connection(target.scheme, target.netloc, fresh=fresh)
            try:
                connection.request("POST", path, payload, headers)
                answer = connection.getresponse()
                answer.read()
            except TimeoutError:
                connection.close()
                return None
            except (OSError, http.client.HTTPException):
                connection.close()
            else:
                return answer.status
        return None

    def _connection(self, scheme: str, netloc: str, *, fresh: bool) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        if fresh or netloc not in self.connections:
            self.connections[netloc] = kind(netloc, timeout=TIMEOUT_SECONDS)
        return self.connections[netloc]


def signature(payload: bytes, secret: str, *, at: int) -> str:
    """Return the `Stripe-Signature` header. Its time is real time: receivers compare it with their own clock."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def strike(world: World, delivery: Document) -> str | None:
    """Return the kind of fault that strikes a delivery, each at most once, and put off or drop what it says."""
    key = f"{delivery['event_id']}:{delivery['endpoint_id']}"
    if delivery.get("struck") or not planned_faults(world):
        return None
    fault = strike_webhook(world, delivery["event_type"])
    if fault is None or world.documents.get("delivery", key) is None:
        return None
    struck = world.documents.edit("delivery", key)
    struck["struck"] = True
    if fault.kind == "webhook_delayed":
        struck["next_attempt_at"] = world.clock.now() + fault.seconds
    elif fault.kind == "webhook_shuffled":
        struck["next_attempt_at"] = world.clock.now() + BACKOFF_SECONDS[0]
        struck["machine_retry_at"] = time.time() + random.uniform(0, fault.seconds)  # noqa: S311  (no secret)
    elif fault.kind == "webhook_dropped":
        world.documents.remove("delivery", key)
    return fault.kind


def is_due(world: World, delivery: Document) -> bool:
    """Tell whether a delivery's time has come, by the clock or, where it may be retried quickly, by the machine's."""
    return bool(
        delivery["next_attempt_at"] <= world.clock.now()
        or delivery.get("machine_retry_at", float("inf")) <= time.time()
    )


def record_outcome(world: World, delivery: Document, status: int | None) -> None:
    """Note how an attempt ended: any 2xx takes the event, anything else is tried again later, for three days."""
    key = f"{delivery['event_id']}:{delivery['endpoint_id']}"
    if world.documents.get("delivery", key) is None:
        return
    if status is not None and 200 <= status < 300:
        world.documents.remove("delivery", key)
        event = world.documents.edit("event", delivery["event_id"])
        event["pending_webhooks"] -= 1
        if event["type"] == "invoice.created" and event["pending_webhooks"] == 0:
            created_was_answered(world, delivery["object_id"])
        return
    now = world.clock.now()
    if now >= delivery["created_at"] + GIVE_UP_SECONDS:
        # The event keeps its pending count, by which `delivery_success=false` finds it.
        world.documents.remove("delivery", key)
        return
    waiting = world.documents.edit("delivery", key)
    waiting["attempts"] += 1
    waiting["last_status"] = status
    waits = BACKOFF_SECONDS[min(waiting["attempts"], len(BACKOFF_SECONDS)) - 1]
    quick = RESTART_BACKOFF_SECONDS[min(waiting["attempts"], len(RESTART_BACKOFF_SECONDS)) - 1]
    waiting["next_attempt_at"] = now + waits
    waiting.pop("machine_retry_at", None)
    if status is None or not world.clock.is_frozen:
        waiting["machine_retry_at"] = time.time() + quick
