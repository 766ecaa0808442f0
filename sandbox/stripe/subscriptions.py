"""Subscriptions: create, read, list, cancel."""

from datetime import UTC, datetime
from typing import Any

from sandbox.world import World

from . import subscription_states
from .collecting import NO_METHOD, collect, finalize, method_for, raise_if_unpaid
from .errors import StripeRefusal, invalid, malformed
from .events import emit
from .final_invoices import settle_end
from .find import find, find_live, newest, the_customer_method
from .ids import new_id
from .invoice_items import pending_items, pull_pending
from .invoicing import draft_invoice
from .items import check_items, new_item, note_billed, whole_period
from .lines import item_line, one_off_line
from .lists import page, within
from .params import (
    PAGE,
    TIME_RANGE,
    Params,
    boolean,
    clearable,
    count,
    group,
    integer,
    many,
    merged_metadata,
    metadata,
    one_of,
    text,
)
from .periods import period_around
from .prices import PRICE_DATA, usable_price

Object = dict[str, Any]

ENDED = subscription_states.ENDED
end = subscription_states.end

BEHAVIOR = one_of("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete")
PRORATION = one_of("always_invoice", "create_prorations", "none")
COLLECTION = one_of("charge_automatically", "send_invoice")
FEEDBACK = one_of(
    "customer_service", "low_quality", "missing_features", "other", "switched_service", "too_complex",
    "too_expensive", "unused",
)  # fmt: skip
ITEM = group(price=text, price_data=PRICE_DATA, quantity=count, metadata=metadata)
ADDED = group(price=text, price_data=PRICE_DATA, quantity=count, metadata=metadata)
PAYMENT_SETTINGS = group(
    save_default_payment_method=one_of("off", "on_subscription"),
    payment_method_types=clearable(many(text)),
    payment_method_options=group(card=group(request_three_d_secure=text)),
)
CANCELLATION = group(comment=clearable(text), feedback=clearable(FEEDBACK))
NO_TAX = group({"enabled": one_of("false")})
SAID = {
    "automatic_tax": NO_TAX,
    "add_invoice_items": many(ADDED),
    "cancel_at": clearable(integer),
    "cancel_at_period_end": boolean,
    "collection_method": COLLECTION,
    "days_until_due": count,
    "default_payment_method": clearable(text),
    "description": clearable(text),
    "metadata": metadata,
    "off_session": boolean,
    "payment_behavior": BEHAVIOR,
    "payment_settings": PAYMENT_SETTINGS,
    "proration_behavior": PRORATION,
}
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
    subscription = _new_subscription(world, customer, params)
    invoice = _first_invoice(world, customer, subscription, params)
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
    if subscription["status"] in ENDED:
        raise invalid(f"No such subscription: '{subscription_id}'", param="id", code="resource_missing", status=404)
    settle_end(
        world, subscription, prorates=params.get("prorate", False), invoices_now=params.get("invoice_now", False)
    )
    details = params.get("cancellation_details", {})
    end(world, subscription, reason="cancellation_requested", **details)
    return subscription


def resume(world: World, _params: Params, subscription_id: str) -> Object:
    """Refuse: Stripe pauses at the end of a trial only, and the sandbox imitates no trials."""
    subscription = find(world, "subscription", subscription_id)
    raise invalid(f"This subscription is {subscription['status']}; only paused subscriptions can be resumed.")


def plan_renewal(world: World, subscription: Object) -> None:
    """Let the clock renew the subscription when its period ends."""
    world.agenda.plan("renew", subscription["id"], period_end(subscription))


def period_end(subscription: Object) -> int:
    """Return the end of the running period, which all items of a subscription share."""
    return int(min(item["current_period_end"] for item in subscription["_items"]))


def _new_subscription(world: World, customer: Object, params: Params) -> Object:
    now = world.now()
    priced = [
        (usable_price(world, said, param=f"items[{position}]", recurring=True), said)
        for position, said in enumerate(params["items"])
    ]
    if params.get("default_payment_method"):
        the_customer_method(world, params["default_payment_method"], customer["id"], param="default_payment_method")
    anchor, anchor_day = _anchor(params, priced[0][0], now) if priced else (now, None)
    settings = params.get("payment_settings", {})
    subscription = {
        "id": new_id("sub"),
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": anchor,
        "billing_cycle_anchor_config": params.get("billing_cycle_anchor_config")
        and {**dict.fromkeys(("hour", "minute", "month", "second")), **params["billing_cycle_anchor_config"]},
        "billing_mode": _billing_mode(params),
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": params.get("cancel_at"),
        "cancel_at_period_end": params.get("cancel_at_period_end", False),
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "feedback_option": None, "reason": None},
        "collection_method": params.get("collection_method", "charge_automatically"),
        "created": now,
        "currency": priced[0][0]["currency"] if priced else "usd",
        "customer": customer["id"],
        "customer_account": None,
        "days_until_due": params.get("days_until_due"),
        "default_payment_method": params.get("default_payment_method"),
        "default_source": None,
        "default_tax_rates": [],
        "description": params.get("description"),
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "latest_invoice": None,
        "livemode": False,
        "managed_payments": None,
        "metadata": merged_metadata({}, params.get("metadata")),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": settings.get("payment_method_types"),
            "save_default_payment_method": settings.get("save_default_payment_method", "off"),
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": "incomplete",
        "test_clock": customer["test_clock"],
        "transfer_data": None,
        "trial_end": None,
        "trial_settings": {"end_behavior": {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}},
        "trial_start": None,
        "_anchor_day": anchor_day,
        "_items": [],
    }
    subscription["_items"] = [new_item(world, subscription, price, said) for price, said in priced]
    check_items(world, subscription["_items"])
    if subscription["collection_method"] == "send_invoice" and subscription["days_until_due"] is None:
        raise malformed("`days_until_due` is required with `collection_method=send_invoice`.", param="days_until_due")
    return world.add(subscription)


def _first_invoice(world: World, customer: Object, subscription: Object, params: Params) -> Object:
    now = world.now()
    prorates = params.get("proration_behavior", "create_prorations") != "none"
    lines = []
    for item in subscription["_items"]:
        price = find(world, "price", item["price"])
        whole = whole_period(subscription, price, now)
        # A first period that an anchor cuts short is prorated, or free when nothing may be prorated.
        if prorates or whole[0] == now:
            lines.append(
                item_line(
                    subscription["id"], item, price, start=now, end=whole[1], period=whole, name=name_of(world, price)
                )
            )
    lines += added_lines(world, subscription, params.get("add_invoice_items", []))
    waiting = pending_items(world, customer["id"], subscription["currency"], None)
    invoice = draft_invoice(
        world,
        customer,
        currency=subscription["currency"],
        billing_reason="subscription_create",
        lines=[*(item["_line"] for item in waiting), *lines],
        period=(now, now),
        subscription=subscription,
    )
    pull_pending(world, invoice, waiting)
    note_billed(subscription["_items"], invoice)
    return invoice


def added_lines(world: World, subscription: Object, added: list[Params]) -> list[Object]:
    """Return the lines of `add_invoice_items`: one-time prices, which may be negative, on the invoice of this call."""
    lines = []
    for position, said in enumerate(added):
        price = usable_price(world, said, param=f"add_invoice_items[{position}]", recurring=False)
        if price["currency"] != subscription["currency"]:
            raise invalid("The currency of an added item must be the subscription's.", param="add_invoice_items")
        lines.append(
            one_off_line(
                price,
                said.get("quantity", 1),
                start=world.now(),
                end=world.now(),
                invoice_item_id=new_id("ii"),
                description=name_of(world, price),
                subscription_id=subscription["id"],
                metadata=said.get("metadata"),
            )
        )
    return lines


def name_of(world: World, price: Object) -> str:
    """Return what an invoice line calls a price: its product's name."""
    return str(find(world, "product", price["product"])["name"])


def _anchor(params: Params, price: Object, now: int) -> tuple[int, int | None]:
    """
    Return the billing anchor and, if it was given as a day of the month, that day.

    :raises StripeRefusal: the anchor is past, or later than one period from now.
    """
    config = params.get("billing_cycle_anchor_config")
    if config is not None:
        return _anchor_by_config(config, now), config["day_of_month"]
    anchor = params.get("billing_cycle_anchor")
    if anchor is None:
        return now, None
    if anchor < now:
        raise invalid("`billing_cycle_anchor` must be in the future.", param="billing_cycle_anchor")
    recurring = price["recurring"]
    if anchor > period_around(now, now, recurring["interval"], recurring["interval_count"])[1]:
        raise invalid(
            "`billing_cycle_anchor` cannot be later than the next natural billing date.", param="billing_cycle_anchor"
        )
    return anchor, None


def _anchor_by_config(config: Params, now: int) -> int:
    """Return the next time it is that day of the month (the last day of a shorter month), at that time of day."""
    today = datetime.fromtimestamp(now, UTC)
    seconds = {name: config.get(name, getattr(today, name)) for name in ("hour", "minute", "second")}
    first = today.replace(day=1, month=config.get("month", today.month), **seconds)
    interval = "year" if "month" in config else "month"
    return period_around(now, int(first.timestamp()), interval, 1, config["day_of_month"])[1]


def _billing_mode(params: Params) -> Object:
    mode = params.get("billing_mode", {"type": "flexible"})["type"]
    if mode != "flexible":
        raise invalid("The sandbox imitates the flexible billing mode only.", param="billing_mode[type]")
    return {"flexible": {"proration_discounts": "included"}, "type": "flexible"}


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
        return status not in ENDED
    if wanted == "ended":
        return status in ENDED
    return wanted in ("all", status)
