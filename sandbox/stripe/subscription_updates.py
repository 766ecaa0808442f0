"""Updates of a subscription: what it says, and its items, paid for as `payment_behavior` demands."""

from typing import Any

from sandbox.world import World

from . import pending_updates
from .collecting import NO_METHOD, collect, finalize, method_for, raise_if_unpaid
from .errors import StripeRefusal, invalid
from .events import emit
from .find import find, newest, the_customer_method
from .invoice_drafts import draft_invoice
from .invoice_items import add_pending, added_lines, pending_items, pull_pending
from .items import note_billed, period_end
from .params import Params, boolean, clearable, count, group, integer, many, merged_metadata, metadata, one_of, text
from .prices import PRICE_DATA
from .subscription_changes import Change, plan_change
from .subscription_params import CANCELLATION, SAID
from .subscription_states import ENDED, plan_renewal

Object = dict[str, Any]

MOST_INVOICES_A_DAY = 20

ITEM = group(id=text, price=text, price_data=PRICE_DATA, quantity=count, metadata=metadata, deleted=boolean)
ANCHOR = group({"type": one_of("now", "unchanged")})
UPDATE = group(
    items=many(ITEM),
    billing_cycle_anchor=ANCHOR,
    cancellation_details=CANCELLATION,
    proration_date=integer,
    default_source=clearable(text),
    **SAID,
)
PLAIN = ("collection_method", "days_until_due", "default_payment_method", "description")
BILLED = ("items", "billing_cycle_anchor", "add_invoice_items")


def update(world: World, params: Params, subscription_id: str) -> Object:
    """
    Change a subscription.

    Items change now and are prorated: on the next invoice (`create_prorations`), on one of their own
    (`always_invoice`), or not at all (`none`). If that invoice cannot be paid at once, `payment_behavior` says
    whether the change holds anyway, waits for the payment, or is refused.
    """
    subscription = world.edit(find(world, "subscription", subscription_id))
    if subscription["status"] in ENDED:
        raise invalid(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="invalid_canceled_subscription_fields",
        )
    if params.get("payment_behavior") == "pending_if_incomplete":
        pending_updates.refuse_unsupported(params)
    say(world, subscription, params)
    if any(name in params for name in BILLED):
        change_items(world, subscription, params)
    emit(world, "customer.subscription.updated", subscription)
    return subscription


def change_items(world: World, subscription: Object, params: Params) -> None:
    """
    Change items, bill what that costs, and let the change hold or wait.

    :raises StripeRefusal: the change makes no sense, or with `error_if_incomplete` it was not paid: nothing is left.
    """
    if subscription["status"] == "incomplete":
        raise invalid("The items of an incomplete subscription cannot be updated before its first payment.")
    # One update waits at a time: a new one takes the place of the old, whose invoice is voided.
    pending_updates.expire_pending(world, subscription)
    change = planned(world, subscription, params)
    if params.get("proration_behavior") == "always_invoice" or change.anchor is not None:
        _bill_now(world, subscription, change, params)
        return
    pending_updates.apply_change(world, subscription, change)
    customer = find(world, "customer", subscription["customer"])
    for line in [*change.lines, *added_lines(world, subscription, params.get("add_invoice_items", []))]:
        add_pending(world, customer, line, subscription["id"])
    if change.lines:
        _note_waiting(change)


def planned(world: World, subscription: Object, params: Params) -> Change:
    """
    Plan the change a request asks for, at `proration_date` or now.

    :raises StripeRefusal: that date is outside the running period.
    """
    at = params.get("proration_date", world.now())
    start = max(item["current_period_start"] for item in subscription["_items"])
    if not start <= at <= period_end(subscription):
        raise invalid(
            "Cannot specify a proration date outside of the current subscription period.", param="proration_date"
        )
    return plan_change(
        world,
        subscription,
        params.get("items", []),
        at=at,
        prorates=params.get("proration_behavior", "create_prorations") != "none",
        restarts=params.get("billing_cycle_anchor", {}).get("type") == "now",
    )


def invoice_for_change(world: World, subscription: Object, change: Change, params: Params) -> Object:
    """Return the draft of what a change costs now, with everything else that waits for an invoice."""
    customer = find(world, "customer", subscription["customer"])
    waiting = pending_items(world, customer["id"], subscription["currency"], subscription["id"])
    added = added_lines(world, subscription, params.get("add_invoice_items", []))
    invoice = draft_invoice(
        world,
        customer,
        currency=subscription["currency"],
        billing_reason="subscription_update",
        lines=[*(item["_line"] for item in waiting), *change.lines, *added],
        period=(world.now(), world.now()),
        subscription=subscription,
    )
    if "proration_date" in params:
        invoice["parent"]["subscription_details"]["subscription_proration_date"] = params["proration_date"]
    pull_pending(world, invoice, waiting)
    return invoice


def say(world: World, subscription: Object, params: Params) -> None:
    """Change what a subscription says beside its items."""
    if params.get("default_payment_method"):
        the_customer_method(
            world, params["default_payment_method"], subscription["customer"], param="default_payment_method"
        )
    subscription.update({name: params[name] for name in PLAIN if name in params})
    subscription["metadata"] = merged_metadata(subscription["metadata"], params.get("metadata"))
    subscription["payment_settings"].update(
        {name: value for name, value in params.get("payment_settings", {}).items() if name != "payment_method_options"}
    )
    subscription["cancellation_details"].update(params.get("cancellation_details", {}))
    _say_when_it_ends(world, subscription, params)


def _bill_now(world: World, subscription: Object, change: Change, params: Params) -> None:
    behavior = params.get("payment_behavior", "allow_incomplete")
    _limit_invoices(world, subscription)
    invoice = invoice_for_change(world, subscription, change, params)
    if not invoice["_lines"]:
        # Nothing to bill is no invoice, as at Stripe.
        world.documents.remove("invoice", invoice["id"])
        pending_updates.apply_change(world, subscription, change)
        return
    note_billed(change.items, invoice)
    waits = behavior == "pending_if_incomplete"
    if not waits:
        subscription["latest_invoice"] = invoice["id"]
        pending_updates.apply_change(world, subscription, change)
    emit(world, "invoice.created", invoice)
    finalize(world, invoice)
    if invoice["status"] == "open" and subscription["collection_method"] == "charge_automatically":
        _collect(world, subscription, invoice, behavior, off_session=params.get("off_session", False))
    subscription["latest_invoice"] = invoice["id"]
    if waits and invoice["status"] == "open":
        pending_updates.wait_for_payment(world, subscription, change, invoice)
    elif waits:
        pending_updates.apply_change(world, subscription, change)
    if change.anchor is not None:
        plan_renewal(world, subscription)


def _collect(world: World, subscription: Object, invoice: Object, behavior: str, *, off_session: bool) -> None:
    method = method_for(world, invoice)
    # An invoice whose change only waits must not make the subscription past due.
    world.edit(invoice)["_is_pending_update"] = behavior == "pending_if_incomplete"
    if behavior == "default_incomplete":
        subscription["status"] = "past_due"
        return
    collect(world, invoice, method=method, off_session=off_session)
    if behavior == "error_if_incomplete" and invoice["status"] != "paid":
        if method is None:
            raise invalid(NO_METHOD, code="resource_missing")
        try:
            raise_if_unpaid(world, invoice, code="subscription_payment_intent_requires_action")
        except StripeRefusal as refusal:
            refusal.keeps_changes = False
            raise


def _note_waiting(change: Change) -> None:
    """Note in the items what waiting lines will charge, so that a further change credits it."""
    note_billed(change.items, {"id": None, "_lines": change.lines})


def _limit_invoices(world: World, subscription: Object) -> None:
    since = world.now() - 86_400
    made = sum(
        1 for invoice in newest(world, "invoice", _subscription=subscription["id"]) if invoice["created"] > since
    )
    if made >= MOST_INVOICES_A_DAY:
        raise invalid(
            f"This subscription has created {made} invoices within a day; at most {MOST_INVOICES_A_DAY} are allowed.",
            code="rate_limit",
        )


def _say_when_it_ends(world: World, subscription: Object, params: Params) -> None:
    if "cancel_at" in params:
        subscription.update(cancel_at=params["cancel_at"], cancel_at_period_end=False)
        subscription["canceled_at"] = world.now() if params["cancel_at"] else None
        if params["cancel_at"]:
            world.agenda.plan("cancel_at", subscription["id"], params["cancel_at"])
    if "cancel_at_period_end" in params:
        ends = params["cancel_at_period_end"]
        subscription.update(
            cancel_at_period_end=ends,
            cancel_at=period_end(subscription) if ends else None,
            canceled_at=world.now() if ends else None,
        )
        subscription["cancellation_details"]["reason"] = "cancellation_requested" if ends else None
    if subscription["cancel_at"] is None:
        world.agenda.drop("cancel_at", subscription["id"])
