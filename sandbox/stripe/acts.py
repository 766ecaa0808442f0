"""What the clock does at Stripe: the name of each act on the agenda, and the function that does it."""

from collections.abc import Callable
from typing import Any

from sandbox.world import World

from . import subscription_states

Object = dict[str, Any]


def expire_incomplete(world: World, subscription_id: str) -> None:
    """End a subscription whose first payment did not come within 23 hours."""
    subscription = world.documents.get("subscription", subscription_id)
    if subscription is not None and subscription["status"] == "incomplete":
        subscription_states.expire(world, subscription)


ACTS: dict[str, Callable[[World, str], None]] = {
    "expire_incomplete": expire_incomplete,
}
