"""Webhook endpoints: who is told of which events, and the secret its deliveries are signed with."""

from typing import Any

from sandbox.world import World

from .errors import invalid, malformed
from .events import API_VERSION
from .find import find_live, newest
from .ids import new_id, random_text
from .lists import page
from .params import PAGE, Params, boolean, clearable, group, many, merged_metadata, metadata, text

Object = dict[str, Any]

MOST_ENDPOINTS = 16
CREATE = group(
    {"url": text, "enabled_events": many(text)}, api_version=text, description=clearable(text), metadata=metadata
)
UPDATE = group(url=text, enabled_events=many(text), disabled=boolean, description=clearable(text), metadata=metadata)
RETRIEVE = group()
DELETE = group()
LIST = group(**PAGE)


def create(world: World, params: Params) -> Object:
    """Create an endpoint; this answer alone shows its secret."""
    endpoint = register(
        world,
        url=params["url"],
        secret=f"whsec_{random_text(32)}",
        enabled_events=params["enabled_events"],
        description=params.get("description"),
        metadata=merged_metadata({}, params.get("metadata")),
    )
    if params.get("api_version", API_VERSION) != API_VERSION:
        raise malformed(f"Invalid API version; the sandbox speaks {API_VERSION}.", param="api_version")
    return {**endpoint, "secret": endpoint["_secret"]}


def retrieve(world: World, _params: Params, endpoint_id: str) -> Object:
    return find_live(world, "webhook_endpoint", endpoint_id)


def update(world: World, params: Params, endpoint_id: str) -> Object:
    endpoint = world.edit(find_live(world, "webhook_endpoint", endpoint_id))
    for name in ("url", "enabled_events", "description"):
        endpoint[name] = params.get(name, endpoint[name])
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    endpoint["metadata"] = merged_metadata(endpoint["metadata"], params.get("metadata"))
    return endpoint


def list_endpoints(world: World, params: Params) -> Object:
    return page(newest(world, "webhook_endpoint"), params, "/v1/webhook_endpoints")


def delete(world: World, _params: Params, endpoint_id: str) -> Object:
    """Delete an endpoint; what was not delivered to it never will be."""
    endpoint = world.edit(find_live(world, "webhook_endpoint", endpoint_id))
    endpoint.update(deleted=True, status="disabled")
    for delivery in list(world.documents.newest_first("delivery")):
        if delivery["endpoint_id"] == endpoint_id:
            world.documents.remove("delivery", f"{delivery['event_id']}:{endpoint_id}")
    return endpoint


def register(world: World, *, url: str, secret: str, enabled_events: list[str], **about: Any) -> Object:
    """Add an endpoint with a secret of the caller's choice."""
    if not url.startswith(("http://", "https://")):
        raise invalid(
            "Invalid URL: An explicit scheme (such as https) must be provided.", param="url", code="url_invalid"
        )
    if sum(1 for _ in newest(world, "webhook_endpoint")) >= MOST_ENDPOINTS:
        raise invalid(f"You have reached the maximum of {MOST_ENDPOINTS} test webhook endpoints.")
    return world.add(
        {
            "id": new_id("we"),
            "object": "webhook_endpoint",
            "api_version": API_VERSION,
            "application": None,
            "created": world.now(),
            "description": None,
            "enabled_events": enabled_events,
            "livemode": False,
            "metadata": {},
            "status": "enabled",
            "url": url,
            "_secret": secret,
            **about,
        }
    )
