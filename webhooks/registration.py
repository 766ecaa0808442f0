"""Tell Stripe where our door is, and which events we act on."""

from dataclasses import dataclass

from billing.cfstripe import webhook_endpoints
from billing.cfstripe.client import API_VERSION

from .handler_registry import ROUTES


class OtherVersion(Exception):
    """The endpoint is sent events of another API version, which can't be changed; make a new one beside it."""

    code = "webhook_version"


@dataclass(frozen=True, slots=True)
class Registered:
    """What stands at Stripe now. `secret` is empty unless the endpoint was made by this call."""

    endpoint_id: str
    secret: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


def register(url: str) -> Registered:
    """
    Have Stripe send the types of the registry to `url`, and no others. Safe to repeat.

    :raises OtherVersion: what stands there speaks another API version.
    """
    types = tuple(ROUTES)
    known = webhook_endpoints.find(url)
    if known is None:
        made = webhook_endpoints.create(url, types)
        return Registered(made.id, made.secret, types, ())
    if known.api_version != API_VERSION:
        raise OtherVersion(
            f"{known.id} is sent events of {known.api_version or 'the default version'}; ours is {API_VERSION}."
        )
    added = tuple(name for name in types if name not in known.event_types)
    removed = tuple(name for name in known.event_types if name not in types)
    if added or removed:
        webhook_endpoints.choose(known.id, types)
    return Registered(known.id, "", added, removed)
