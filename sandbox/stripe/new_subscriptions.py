"""How a subscription begins: its anchor, its items and its first invoice."""

from datetime import UTC, datetime
from typing import Any

from sandbox.world import World

from .errors import invalid, malformed
from .find import find, the_customer_method
from .ids import new_id
from .invoice_drafts import draft_invoice
from .invoice_items import added_lines, pending_items, pull_pending
from .items import check_items, new_item, note_billed, whole_period
from .lines import item_line
from .params import Params, merged_metadata
from .periods import period_around
from .prices import name_of, usable_price

Object = dict[str, Any]


def new_subscription(world: World, customer: Object, params: Params) -> Object:
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


def first_invoice(world: World, customer: Object, subscription: Object, params: Params) -> Object:
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
