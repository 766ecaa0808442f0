"""What the clock does at Stripe: the name of each act on the agenda, and the function that does it."""

from collections.abc import Callable
from typing import Any

from sandbox.world import World

from . import disputes, pending_updates, refunds, renewals, subscription_states

Object = dict[str, Any]


def expire_incomplete(world: World, subscription_id: str) -> None:
    """End a subscription whose first payment did not come within 23 hours."""
    subscription = world.documents.get("subscription", subscription_id)
    if subscription is not None and subscription["status"] == "incomplete":
        subscription_states.expire(world, subscription)


def expire_pending_update(world: World, subscription_id: str) -> None:
    """Take away a change that was not paid in time."""
    subscription = world.documents.get("subscription", subscription_id)
    if subscription is not None:
        pending_updates.expire_pending(world, subscription)


def cancel_at(world: World, subscription_id: str) -> None:
    """End a subscription at the time it was told to."""
    subscription = world.documents.get("subscription", subscription_id)
    if subscription is not None and subscription["status"] not in subscription_states.ENDED:
        subscription_states.end(world, subscription, reason="cancellation_requested")


ACTS: dict[str, Callable[[World, str], None]] = {
    "cancel_at": cancel_at,
    "close_dispute": disputes.close_unanswered,
    "charge": renewals.charge_slowly,
    "collect": renewals.collect_due,
    "complain": disputes.complain,
    "expire_incomplete": expire_incomplete,
    "expire_pending_update": expire_pending_update,
    "finalize": renewals.finalize_due,
    "refund_failed": refunds.fail_later,
    "refund_pending": refunds.succeed_later,
    "renew": renewals.renew,
}
