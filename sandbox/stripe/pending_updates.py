"""Pending updates: a change that holds only once its invoice is paid, within 23 hours."""

from typing import Any

from sandbox.world import World

from .errors import malformed
from .events import emit
from .find import find
from .invoicing import void_invoice
from .params import Params
from .subscription_changes import Change

Object = dict[str, Any]

PENDING_SECONDS = 23 * 60 * 60
# Whatever else an update says would hold before the payment, so Stripe refuses it.
ALLOWED = frozenset(
    (
        "add_invoice_items",
        "billing_cycle_anchor",
        "items",
        "off_session",
        "payment_behavior",
        "proration_behavior",
        "proration_date",
    )
)
ALLOWED_OF_ITEMS = frozenset(("id", "price", "price_data", "quantity"))


def refuse_unsupported(params: Params) -> None:
    """
    Refuse what cannot wait for a payment.

    :raises StripeRefusal: anything but items (by price and quantity), the anchor and how to prorate and pay.
    """
    for name in sorted(params.keys() - ALLOWED):
        raise _unsupported(name)
    for position, item in enumerate(params.get("items", ())):
        for name in sorted(item.keys() - ALLOWED_OF_ITEMS):
            raise _unsupported(f"items[{position}][{name}]")


def wait_for_payment(world: World, subscription: Object, change: Change, invoice: Object) -> None:
    """Keep a change until its invoice is paid; at the latest the end of the running period takes it away."""
    subscription = world.edit(subscription)
    expires_at = min(world.now() + PENDING_SECONDS, *(item["current_period_end"] for item in subscription["_items"]))
    subscription["pending_update"] = {
        "billing_cycle_anchor": change.anchor,
        "cancel_at_period_end": None,
        "discount": None,
        "discounts": None,
        "expires_at": expires_at,
        "metadata": None,
        "subscription_items": change.items,
        "trial_end": None,
        "trial_from_plan": None,
    }
    subscription["_pending_invoice"] = invoice["id"]
    world.agenda.plan("expire_pending_update", subscription["id"], expires_at)


def apply_change(world: World, subscription: Object, change: Change) -> None:
    """Give a subscription its new items, and its new anchor if the cycle starts anew."""
    subscription = world.edit(subscription)
    subscription["_items"] = change.items
    if change.anchor is not None:
        subscription.update(billing_cycle_anchor=change.anchor, _anchor_day=None)


def apply_paid(world: World, subscription: Object, invoice: Object) -> None:
    """Make a waiting change hold if it was this invoice that it waited for."""
    if subscription.get("_pending_invoice") != invoice["id"]:
        return
    pending = subscription["pending_update"]
    apply_change(world, subscription, Change(pending["subscription_items"], [], pending["billing_cycle_anchor"]))
    _forget(world, subscription)
    emit(world, "customer.subscription.pending_update_applied", subscription)


def drop_unpaid(world: World, subscription: Object, invoice: Object) -> bool:
    """Forget a waiting change whose invoice was given up; tell whether it was this one's."""
    if subscription.get("_pending_invoice") != invoice["id"]:
        return False
    _forget(world, subscription)
    emit(world, "customer.subscription.pending_update_expired", subscription)
    emit(world, "customer.subscription.updated", subscription)
    return True


def expire_pending(world: World, subscription: Object) -> None:
    """Void the invoice a change waits for, which takes the change away; without one nothing happens."""
    invoice_id = subscription.get("_pending_invoice")
    if invoice_id is None:
        return
    invoice = find(world, "invoice", invoice_id)
    if invoice["status"] in ("open", "uncollectible"):
        void_invoice(world, invoice)
    drop_unpaid(world, subscription, invoice)


def _forget(world: World, subscription: Object) -> None:
    subscription = world.edit(subscription)
    subscription.update(pending_update=None, _pending_invoice=None)
    world.agenda.drop("expire_pending_update", subscription["id"])


def _unsupported(name: str) -> Exception:
    return malformed(
        f"You can't pass `{name}` with `payment_behavior=pending_if_incomplete`: pending updates don't support it.",
        param=name,
    )
