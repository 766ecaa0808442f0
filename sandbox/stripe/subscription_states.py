"""How a subscription follows its invoices: active when they are paid, past due when not, expired when never started."""

from typing import Any

from sandbox.world import World

from . import pending_updates
from .events import emit
from .find import find, newest
from .invoicing import void_invoice
from .items import period_end

Object = dict[str, Any]

# A first payment may take this long; Stripe says 23 hours.
FIRST_PAYMENT_SECONDS = 23 * 60 * 60
ENDED = ("canceled", "incomplete_expired")


def invoice_was_paid(world: World, invoice: Object, method: Object | None) -> None:
    """Let the subscription go on after a payment, and keep the method it was paid with if it asked for that."""
    subscription = _of(world, invoice)
    if subscription is None or subscription["status"] in ENDED:
        return
    subscription = world.edit(subscription)
    pending_updates.apply_paid(world, subscription, invoice)
    saves = (subscription["payment_settings"] or {}).get("save_default_payment_method") == "on_subscription"
    if saves and method is not None and method["customer"] == subscription["customer"]:
        subscription["default_payment_method"] = method["id"]
    if subscription["status"] == "incomplete":
        world.agenda.drop("expire_incomplete", subscription["id"])
        subscription["status"] = "active"
    elif subscription["status"] in ("past_due", "unpaid") and not _owes(world, subscription):
        subscription["status"] = "active"
    emit(world, "customer.subscription.updated", subscription)


def invoice_was_not_paid(world: World, invoice: Object) -> None:
    """Note a failed payment: a running subscription is past due; what has not begun, or only waits, keeps waiting."""
    subscription = _of(world, invoice)
    if subscription is not None and subscription["status"] == "active" and not invoice.get("_is_pending_update"):
        world.edit(subscription)["status"] = "past_due"
        emit(world, "customer.subscription.updated", subscription)


def invoice_was_given_up(world: World, invoice: Object) -> None:
    """Follow an invoice that was voided or marked uncollectible: nothing more is expected for it."""
    subscription = _of(world, invoice)
    if subscription is None or subscription["status"] in ENDED:
        return
    if subscription["status"] == "incomplete":
        if invoice["status"] == "void":
            expire(world, subscription)
    elif not pending_updates.drop_unpaid(world, subscription, invoice) and not _owes(world, subscription):
        world.edit(subscription)["status"] = "active"
        emit(world, "customer.subscription.updated", subscription)


def expire(world: World, subscription: Object, *, event: str = "customer.subscription.updated") -> None:
    """End a subscription whose first payment never came, and void what asked for it."""
    subscription = world.edit(subscription)
    subscription.update(status="incomplete_expired", ended_at=world.now())
    world.agenda.drop("expire_incomplete", subscription["id"])
    invoice = find(world, "invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        void_invoice(world, invoice)
    emit(world, event, subscription)


def end(world: World, subscription: Object, *, reason: str | None, **details: Any) -> None:
    """
    Cancel a subscription now. One that has not begun expires instead.

    Invoices stay as they are, except that Stripe stops collecting its drafts and open ones by itself.
    """
    pending_updates.expire_pending(world, subscription)
    subscription = world.edit(subscription)
    said = {"comment": None, "feedback": None, "feedback_option": None, "reason": reason}
    subscription["cancellation_details"] = {**(subscription["cancellation_details"] or said), **said, **details}
    for act in ("renew", "cancel_at"):
        world.agenda.drop(act, subscription["id"])
    if subscription["status"] == "incomplete":
        subscription["canceled_at"] = world.now()
        expire(world, subscription, event="customer.subscription.deleted")
        return
    now = world.now()
    subscription.update(status="canceled", canceled_at=subscription["canceled_at"] or now, ended_at=now)
    for invoice in list(newest(world, "invoice", _subscription=subscription["id"])):
        if invoice["status"] in ("draft", "open") and invoice["auto_advance"]:
            world.edit(invoice).update(auto_advance=False, automatically_finalizes_at=None, next_payment_attempt=None)
            world.agenda.drop("finalize", invoice["id"])
            world.agenda.drop("collect", invoice["id"])
    emit(world, "customer.subscription.deleted", subscription)


def plan_renewal(world: World, subscription: Object) -> None:
    """Let the clock renew the subscription when its period ends."""
    world.agenda.plan("renew", subscription["id"], period_end(subscription))


def _of(world: World, invoice: Object) -> Object | None:
    return world.documents.get("subscription", invoice.get("_subscription", ""))


def _owes(world: World, subscription: Object) -> bool:
    """Tell whether the latest invoice still waits for money; only that one decides, as at Stripe."""
    latest = world.documents.get("invoice", subscription["latest_invoice"] or "")
    return (
        latest is not None
        and latest["status"] == "open"
        and latest["attempted"]
        and not latest.get("_is_pending_update")
    )
