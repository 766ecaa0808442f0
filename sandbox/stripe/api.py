"""One call of Stripe's API from bytes to bytes: who asks, what for, was it asked before, do it, tell."""

import base64
import json
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from sandbox.faults import Fault, planned_faults, strike_call
from sandbox.world import Cause, World

from .errors import StripeRefusal, faulty, malformed, unauthorized
from .events import API_VERSION
from .expand import expanded
from .forms import decode_form
from .idempotency import fingerprint_of, key_in_use, save_answer, saved_answer
from .ids import new_id
from .params import many, text
from .routes import Route, route_to
from .shapes import shown

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """What came over the wire; header names are lower case."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """What goes back."""

    status: int
    body: Object
    request_id: str
    headers: Mapping[str, str] = field(default_factory=dict)
    # The work is done, or not, but the caller never hears of it.
    is_cut: bool = False

    def encoded(self) -> bytes:
        return json.dumps(self.body, indent=2).encode()


class StripeApi:
    """Stripe, as far as the sandbox imitates it, over one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.keys_in_use: set[str] = set()
        self.keys_lock = threading.Lock()

    def answer(self, request: ApiRequest) -> ApiAnswer:
        """Return the answer to a request; never raises, what breaks inside is Stripe's `api_error` 500."""
        request_id = new_id("req")
        try:
            answer = self._answer(request, request_id)
        except StripeRefusal as refusal:
            answer = ApiAnswer(refusal.status, refusal.body(request_id), request_id, refusal.headers)
        except Exception:  # noqa: BLE001  (the last door: a bug is answered as Stripe answers its own)
            traceback.print_exc(file=sys.stderr)
            error = {"type": "api_error", "message": "An unknown error occurred"}
            answer = ApiAnswer(500, {"error": error}, request_id, {"stripe-should-retry": "false"})
        key = request.headers.get("idempotency-key")
        echoed = {"idempotency-key": key} if key else {}
        self.world.latest_calls.appendleft(
            {"at": self.world.now(), "request": f"{request.method} {request.path}", "status": answer.status}
        )
        headers = {"stripe-version": API_VERSION, **echoed, **answer.headers}
        return replace(answer, headers=headers)

    def _answer(self, request: ApiRequest, request_id: str) -> ApiAnswer:
        _authorize(request.headers)
        _check_version(request.headers)
        route, path_ids = _find_route(request)
        said = decode_form("&".join(part for part in (request.query, request.body) if part))
        # Only a POST has a key: at Stripe it means nothing on GET and DELETE.
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        with self._holding(key):
            fault = self._fault(route)
            if fault is not None and fault.kind == "time_out":
                pause(fault.seconds)
                return ApiAnswer(504, {}, request_id, is_cut=True)
            if fault is not None and fault.kind not in ("slow", "cut"):
                raise faulty(fault.kind)
            answer = self._once(route, path_ids, said, Cause(request_id, key), request)
            if fault is not None and fault.kind == "slow":
                pause(fault.seconds)
            return replace(answer, is_cut=fault is not None and fault.kind == "cut")

    def _fault(self, route: Route) -> Fault | None:
        if not planned_faults(self.world):
            return None
        with self.world.transaction():
            return strike_call(self.world, route.operation)

    def _once(self, route: Route, ids: tuple[str, ...], said: Object, cause: Cause, request: ApiRequest) -> ApiAnswer:
        """Act in one transaction that also keeps the answer under its key; replay what is kept already."""
        request_id, key = cause.request_id or "", cause.idempotency_key
        fingerprint = fingerprint_of(request.method, request.path, said)
        with self.world.transaction(cause):
            self.world.count_call(route.operation)
            saved = saved_answer(self.world, key, fingerprint) if key else None
            if saved is not None:
                replayed = {"idempotent-replayed": "true", "original-request": saved["request_id"]}
                return ApiAnswer(saved["status"], saved["body"], request_id, replayed)

            status, body, began = self._acted(route, ids, said, request_id)
            if key and began:
                save_answer(self.world, key, fingerprint, status=status, body=body, request_id=request_id)
            return ApiAnswer(status, body, request_id)

    def _acted(self, route: Route, ids: tuple[str, ...], said: Object, request_id: str) -> tuple[int, Object, bool]:
        """Return status, body, and whether the request began. A refusal undoes what was done unless it keeps it."""
        kept: StripeRefusal | None = None
        try:
            with self.world.documents.savepoint():
                try:
                    return 200, self._handled(route, ids, dict(said)), True
                except StripeRefusal as refusal:
                    if not refusal.keeps_changes:
                        raise
                    kept = refusal
        except StripeRefusal as refusal:
            kept = refusal
        return kept.status, kept.body(request_id), kept.began

    def _handled(self, route: Route, ids: tuple[str, ...], said: Object) -> Object:
        paths = many(text)(said.pop("expand", []), "expand")
        result = route.handler(self.world, route.parser(said, ""), *ids)
        if result.get("object") in ("list", "search_result"):
            answer = {**result, "data": [shown(self.world, member) for member in result["data"]]}
        else:
            answer = shown(self.world, result)
        return expanded(self.world, answer, paths)

    @contextmanager
    def _holding(self, key: str | None) -> Iterator[None]:
        """Let one request at a time use a key; a second one is refused at once, as at Stripe, not queued."""
        if key is None:
            yield
            return
        with self.keys_lock:
            if key in self.keys_in_use:
                raise key_in_use(key)
            self.keys_in_use.add(key)
        try:
            yield
        finally:
            with self.keys_lock:
                self.keys_in_use.discard(key)


def pause(seconds: float) -> None:
    """Let this request's thread wait, in machine time; nothing is locked meanwhile."""
    threading.Event().wait(seconds)


def _authorize(headers: Mapping[str, str]) -> None:
    """Accept any test key, as bearer token or as user name of basic authentication."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    key = credentials.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key).decode().partition(":")[0]
        except ValueError:
            key = ""
    if not key:
        raise unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    if not key.startswith(("sk_test_", "rk_test_")):
        # Only the kind is repeated: a live key sent here by mistake must not end up in a log.
        raise unauthorized(f"Invalid API Key provided: {key[:8]}****. The sandbox takes test keys only.")


def _check_version(headers: Mapping[str, str]) -> None:
    version = headers.get("stripe-version", API_VERSION)
    if version != API_VERSION:
        raise malformed(f"Invalid Stripe API version: {version}. The sandbox speaks {API_VERSION}.")


def _find_route(request: ApiRequest) -> tuple[Route, tuple[str, ...]]:
    found = route_to(request.method, unquote(request.path))
    if found is None:
        error = {
            "type": "invalid_request_error",
            "message": f"Unrecognized request URL ({request.method}: {request.path}). The sandbox does not imitate it.",
        }
        raise StripeRefusal(404, error, began=False)
    return found
