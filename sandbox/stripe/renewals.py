"""Renewals: a new period and its draft invoice when the old one ends, finalised and collected later by the clock."""

from typing import Any

from sandbox.world import World

from . import settings, subscription_states
from .collecting import collect, finalize, method_for
from .events import emit
from .find import find
from .invoice_drafts import draft_invoice
from .invoice_items import pending_items, pull_pending
from .invoicing import intent_of, mark_uncollectible
from .items import note_billed, period_end, whole_period
from .lines import item_line
from .prices import name_of

Object = dict[str, Any]

# An answered `invoice.created` lets a draft be finalised an hour later; unanswered, Stripe waits three days.
ANSWERED_SECONDS = 60 * 60
UNANSWERED_SECONDS = 72 * 60 * 60


def renew(world: World, subscription_id: str) -> None:
    """Begin the next period of a subscription, or end it if it was to end now."""
    subscription = world.edit(find(world, "subscription", subscription_id))
    if subscription["status"] not in ("active", "past_due", "trialing", "unpaid"):
        return
    ends = subscription["cancel_at"]
    if subscription["cancel_at_period_end"] or (ends is not None and ends <= world.now()):
        subscription_states.end(world, subscription, reason="cancellation_requested")
        return
    invoice = cycle_invoice(world, subscription)
    subscription["latest_invoice"] = invoice["id"]
    emit(world, "invoice.created", invoice)
    emit(world, "customer.subscription.updated", subscription)
    plan_finalizing(world, invoice)
    subscription_states.plan_renewal(world, subscription)


def cycle_invoice(world: World, subscription: Object) -> Object:
    """Move a subscription's items into the next period and return the draft that bills it."""
    customer = find(world, "customer", subscription["customer"])
    ended = max(item["current_period_start"] for item in subscription["_items"]), period_end(subscription)
    lines = []
    for item in subscription["_items"]:
        price = find(world, "price", item["price"])
        start, end = whole_period(subscription, price, item["current_period_end"])
        item.update(current_period_start=start, current_period_end=end)
        name = name_of(world, price)
        lines.append(item_line(subscription["id"], item, price, start=start, end=end, period=(start, end), name=name))
    waiting = pending_items(world, customer["id"], subscription["currency"], subscription["id"])
    invoice = draft_invoice(
        world,
        customer,
        currency=subscription["currency"],
        billing_reason="subscription_cycle",
        lines=[*(item["_line"] for item in waiting), *lines],
        period=ended,
        subscription=subscription,
    )
    pull_pending(world, invoice, waiting)
    note_billed(subscription["_items"], invoice)
    return invoice


def plan_finalizing(world: World, invoice: Object) -> None:
    """Let the clock finalise a draft: soon if nobody is told of drafts, else when they have answered or in 72 hours."""
    told = any(
        delivery["event_type"] == "invoice.created" and delivery["object_id"] == invoice["id"]
        for delivery in world.documents.newest_first("delivery")
    )
    due_at = world.now() + (UNANSWERED_SECONDS if told else ANSWERED_SECONDS)
    world.edit(invoice)["automatically_finalizes_at"] = due_at
    world.agenda.plan("finalize", invoice["id"], due_at)


def created_was_answered(world: World, invoice_id: str) -> None:
    """Note that every endpoint took an invoice's `invoice.created`: its draft may be finalised an hour from now."""
    invoice = world.documents.get("invoice", invoice_id)
    if invoice is None or invoice.get("deleted"):
        return
    invoice = world.edit(invoice)
    invoice["webhooks_delivered_at"] = world.now()
    planned_at = world.agenda.planned_at("finalize", invoice_id)
    if planned_at is not None:
        due_at = min(planned_at, world.now() + ANSWERED_SECONDS)
        invoice["automatically_finalizes_at"] = due_at
        world.agenda.plan("finalize", invoice_id, due_at)


def finalize_due(world: World, invoice_id: str) -> None:
    """Finalise a draft whose time has come, and try to collect it."""
    invoice = world.documents.get("invoice", invoice_id)
    if invoice is None or invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    finalize(world, invoice)
    seconds = settings.read(world)["charge_seconds"]
    if seconds and invoice["status"] == "open" and method_for(world, invoice) is not None:
        world.edit(intent_of(world, invoice))["status"] = "processing"
        world.agenda.plan("charge", invoice_id, world.now() + seconds)
        return
    collect_due(world, invoice_id)


def charge_slowly(world: World, invoice_id: str) -> None:
    """Let the bank answer a charge that it was asked for; who took the invoice over meanwhile does not stop it."""
    invoice = find(world, "invoice", invoice_id)
    intent = intent_of(world, invoice)
    if invoice["status"] != "open" or intent["status"] != "processing":
        return
    world.edit(intent)["status"] = "requires_confirmation"
    collect(world, invoice, method=method_for(world, invoice), off_session=True)


def collect_due(world: World, invoice_id: str) -> None:
    """Try to collect an open invoice, and plan the next attempt if the account's settings want one."""
    invoice = find(world, "invoice", invoice_id)
    if invoice["status"] != "open" or not invoice["auto_advance"]:
        return
    if invoice["collection_method"] == "send_invoice":
        emit(world, "invoice.sent", invoice)
        return
    collect(world, invoice, method=method_for(world, invoice), off_session=True)
    if invoice["status"] == "open":
        _retry_or_give_up(world, invoice)


def _retry_or_give_up(world: World, invoice: Object) -> None:
    wanted = settings.read(world)
    hours = wanted["retry_hours"]
    if invoice["attempt_count"] <= len(hours):
        due_at = world.now() + int(hours[invoice["attempt_count"] - 1] * 3600)
        world.edit(invoice)["next_payment_attempt"] = due_at
        world.agenda.plan("collect", invoice["id"], due_at)
        return
    world.edit(invoice)["next_payment_attempt"] = None
    subscription = world.documents.get("subscription", invoice.get("_subscription", ""))
    if hours and wanted["failed_invoice"] == "uncollectible":
        mark_uncollectible(world, invoice)
        subscription_states.invoice_was_given_up(world, invoice)
    if not hours or subscription is None or subscription["status"] != "past_due":
        return
    if wanted["failed_subscription"] == "canceled":
        subscription_states.end(world, subscription, reason="payment_failed")
    elif wanted["failed_subscription"] == "unpaid":
        world.edit(subscription)["status"] = "unpaid"
        emit(world, "customer.subscription.updated", subscription)
