"""Subscriptions: create, read, list, cancel."""

from typing import Any

from sandbox.world import World

from . import subscription_states
from .collecting import NO_METHOD, collect, finalize, method_for, raise_if_unpaid
from .errors import StripeRefusal, invalid, malformed
from .events import emit
from .final_invoices import settle_end
from .find import find, find_live, newest
from .items import period_end
from .lists import page, within
from .new_subscriptions import first_invoice, new_subscription
from .params import (
    PAGE,
    TIME_RANGE,
    Params,
    boolean,
    count,
    group,
    integer,
    many,
    metadata,
    one_of,
    text,
)
from .prices import PRICE_DATA
from .subscription_params import CANCELLATION, COLLECTION, PRORATION, SAID
from .subscription_states import plan_renewal

Object = dict[str, Any]

ITEM = group(price=text, price_data=PRICE_DATA, quantity=count, metadata=metadata)
CREATE = group(
    {"customer": text, "items": many(ITEM)},
    billing_cycle_anchor=integer,
    billing_cycle_anchor_config=group({"day_of_month": count}, hour=count, minute=count, second=count, month=count),
    billing_mode=group({"type": one_of("classic", "flexible")}, flexible=group(proration_discounts=text)),
    currency=text,
    **SAID,
)
RETRIEVE = group()
RESUME = group(billing_cycle_anchor=group(), proration_behavior=PRORATION, proration_date=integer)
CANCEL = group(invoice_now=boolean, prorate=boolean, cancellation_details=CANCELLATION)
LIST = group(
    collection_method=COLLECTION,
    created=TIME_RANGE,
    current_period_end=TIME_RANGE,
    current_period_start=TIME_RANGE,
    customer=text,
    price=text,
    status=text,
    test_clock=text,
    **PAGE,
)


def create(world: World, params: Params) -> Object:
    """
    Create a subscription with its first invoice; `payment_behavior` says what happens if that is not paid at once.

    - `default_incomplete`: nothing is tried; the subscription waits up to 23 hours for the payment.
    - `allow_incomplete`: one attempt; if it fails the subscription waits, too.
    - `error_if_incomplete`: one attempt; if it fails nothing of the subscription remains, and the answer is 402.
    """
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete":
        raise malformed("`pending_if_incomplete` is only for updates of a subscription.", param="payment_behavior")
    customer = find_live(world, "customer", params["customer"], param="customer")
    subscription = new_subscription(world, customer, params)
    invoice = first_invoice(world, customer, subscription, params)
    subscription["latest_invoice"] = invoice["id"]
    emit(world, "customer.subscription.created", subscription)
    emit(world, "invoice.created", invoice)

    finalize(world, invoice)
    if invoice["status"] == "open" and subscription["collection_method"] == "send_invoice":
        subscription["status"] = "active"
        emit(world, "customer.subscription.updated", subscription)
    elif invoice["status"] == "open":
        world.agenda.plan(
            "expire_incomplete", subscription["id"], world.now() + subscription_states.FIRST_PAYMENT_SECONDS
        )
        if behavior != "default_incomplete":
            method = method_for(world, invoice)
            collect(world, invoice, method=method, off_session=params.get("off_session", False))
    if behavior == "error_if_incomplete" and invoice["status"] != "paid":
        _refuse_unpaid(world, invoice)
    plan_renewal(world, subscription)
    if subscription["cancel_at"]:
        world.agenda.plan("cancel_at", subscription["id"], subscription["cancel_at"])
    elif subscription["cancel_at_period_end"]:
        subscription.update(cancel_at=period_end(subscription), canceled_at=world.now())
    return subscription


def retrieve(world: World, _params: Params, subscription_id: str) -> Object:
    return find(world, "subscription", subscription_id)


def list_subscriptions(world: World, params: Params) -> Object:
    """List subscriptions; those that are cancelled only when `status` asks for them (`all`, `ended`, `canceled`)."""
    wanted = params.get("status")
    found = (
        subscription
        for subscription in newest(
            world, "subscription", customer=params.get("customer"), collection_method=params.get("collection_method")
        )
        if _has_status(subscription, wanted)
        and within(subscription["created"], params.get("created"))
        and ("price" not in params or any(item["price"] == params["price"] for item in subscription["_items"]))
        and all(
            any(within(item[name], params.get(name)) for item in subscription["_items"])
            for name in ("current_period_end", "current_period_start")
        )
    )
    return page(found, params, "/v1/subscriptions")


def cancel(world: World, params: Params, subscription_id: str) -> Object:
    """Cancel now. Prorating and invoicing what was used are off unless asked for."""
    subscription = find(world, "subscription", subscription_id)
    if subscription["status"] in subscription_states.ENDED:
        raise invalid(f"No such subscription: '{subscription_id}'", param="id", code="resource_missing", status=404)
    settle_end(
        world, subscription, prorates=params.get("prorate", False), invoices_now=params.get("invoice_now", False)
    )
    details = params.get("cancellation_details", {})
    subscription_states.end(world, subscription, reason="cancellation_requested", **details)
    return subscription


def resume(world: World, _params: Params, subscription_id: str) -> Object:
    """Refuse: Stripe pauses at the end of a trial only, and the sandbox imitates no trials."""
    subscription = find(world, "subscription", subscription_id)
    raise invalid(f"This subscription is {subscription['status']}; only paused subscriptions can be resumed.")


def _refuse_unpaid(world: World, invoice: Object) -> None:
    """Refuse the whole creation: nothing of it remains, neither the subscription nor the attempt."""
    if method_for(world, invoice) is None:
        raise invalid(NO_METHOD, code="resource_missing")
    try:
        raise_if_unpaid(world, invoice, code="subscription_payment_intent_requires_action")
    except StripeRefusal as refusal:
        refusal.keeps_changes = False
        raise


def _has_status(subscription: Object, wanted: str | None) -> bool:
    status = subscription["status"]
    if wanted is None:
        return status not in subscription_states.ENDED
    if wanted == "ended":
        return status in subscription_states.ENDED
    return wanted in ("all", status)
