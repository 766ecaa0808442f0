"""Where Stripe sends its events, and which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .client import API_VERSION, client
from .errors import translated


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as Stripe has it. `secret` is told only by the answer that makes it."""

    id: str
    api_version: str
    event_types: tuple[str, ...]
    secret: str = ""


def find(url: str) -> Endpoint | None:
    """Return the endpoint at this address."""
    with translated():
        for endpoint in client().v1.webhook_endpoints.list({"limit": 100}).auto_paging_iter():
            if endpoint.url == url:
                return _read(endpoint)
    return None


def create(url: str, event_types: Sequence[str]) -> Endpoint:
    """Return a new endpoint that is sent these types, in the API version that we speak."""
    params: Any = {"url": url, "enabled_events": list(event_types), "api_version": API_VERSION}
    with translated():
        return _read(client().v1.webhook_endpoints.create(params))


def choose(endpoint_id: str, event_types: Sequence[str]) -> Endpoint:
    """Return the endpoint after having it sent these types and no others."""
    params: Any = {"enabled_events": list(event_types)}
    with translated():
        return _read(client().v1.webhook_endpoints.update(endpoint_id, params))


def _read(endpoint: Any) -> Endpoint:
    return Endpoint(
        id=endpoint.id,
        api_version=endpoint.api_version or "",
        event_types=tuple(endpoint.enabled_events),
        secret=getattr(endpoint, "secret", "") or "",
    )
