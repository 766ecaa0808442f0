"""Collecting an invoice: which method, one attempt, and what follows from its outcome."""

from typing import Any

from sandbox.world import World

from . import subscription_states
from .errors import card_refusal, invalid
from .events import emit
from .find import find, the_customer_method
from .invoicing import finalize_invoice, intent_of, mark_paid, note_paid
from .paying import attempt, refusal_of
from .shapes import shown

Object = dict[str, Any]

NO_METHOD = (
    "This customer has no attached payment source or default payment method. Please consider adding a default "
    "payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting."
)


def finalize(world: World, invoice: Object) -> None:
    """Finalise a draft, prepare its payment with the method that would pay it, and let the subscription follow."""
    finalize_invoice(world, invoice)
    if invoice["status"] == "paid":
        subscription_states.invoice_was_paid(world, invoice, None)
        return
    method = method_for(world, invoice)
    if method is not None and invoice["collection_method"] == "charge_automatically":
        world.edit(intent_of(world, invoice)).update(status="requires_confirmation", payment_method=method["id"])


def method_for(world: World, invoice: Object) -> Object | None:
    """Return the method an invoice is paid with by default: its own, the subscription's, then the customer's."""
    subscription = world.documents.get("subscription", invoice.get("_subscription", "")) or {}
    customer = find(world, "customer", invoice["customer"])
    candidates = (
        invoice["default_payment_method"],
        subscription.get("default_payment_method"),
        customer["invoice_settings"]["default_payment_method"],
        customer["default_source"],
    )
    chosen = next((method_id for method_id in candidates if method_id), None)
    return None if chosen is None else find(world, "payment_method", chosen)


def collect(world: World, invoice: Object, *, method: Object | None, off_session: bool) -> None:
    """
    Try once to have an open invoice paid; its status and that of its intent tell how it ended.

    Without a method the attempt fails like any other, only that no bank was asked.
    """
    invoice = world.edit(invoice)
    invoice.update(attempted=True, attempt_count=invoice["attempt_count"] + 1)
    if method is None:
        emit(world, "invoice.updated", invoice)
        emit(world, "invoice.payment_failed", invoice)
        subscription_states.invoice_was_not_paid(world, invoice)
        return
    intent = intent_of(world, invoice)
    attempt(world, intent, method, off_session=off_session)
    settle(world, intent)


def settle(world: World, intent: Object) -> None:
    """Let an invoice, and its subscription, follow what became of its intent; an intent on its own has none."""
    invoice = world.documents.get("invoice", intent.get("_invoice", ""))
    if invoice is None or invoice["status"] not in ("open", "uncollectible"):
        return
    invoice = world.edit(invoice)
    invoice["attempted"] = True
    if intent["status"] == "succeeded":
        receive(world, invoice, intent)
        return
    emit(world, "invoice.updated", invoice)
    if intent["status"] == "requires_action":
        emit(world, "invoice.payment_action_required", invoice)
    emit(world, "invoice.payment_failed", invoice)
    subscription_states.invoice_was_not_paid(world, invoice)


def receive(world: World, invoice: Object, intent: Object) -> None:
    """Take a succeeded intent's money for an invoice, in full or in part; more than is owed is not taken."""
    paid = min(intent["amount_received"], invoice["amount_remaining"])
    note_paid(world, invoice, intent, amount_paid=paid)
    invoice = world.edit(invoice)
    if paid < invoice["amount_remaining"]:
        invoice["amount_paid"] += paid
        invoice["amount_remaining"] -= paid
        emit(world, "invoice.updated", invoice)
        return
    mark_paid(world, invoice, amount_paid=invoice["amount_paid"] + paid)
    method = find(world, "payment_method", intent["payment_method"])
    subscription_states.invoice_was_paid(world, invoice, method)


def pay(world: World, invoice: Object, *, method_id: str | None, off_session: bool) -> Object:
    """
    Pay an open or uncollectible invoice now, as `/pay` does.

    :raises StripeRefusal: 400 if it cannot be paid at all, 402 if the bank declined or wants the customer; what
        the attempt left behind stands.
    """
    if invoice["status"] not in ("open", "uncollectible", "draft"):
        raise invalid(f"Invoice is already {invoice['status']}")
    if invoice["status"] != "draft" and intent_of(world, invoice)["status"] == "processing":
        raise invalid("This invoice's payment is being processed.", code="payment_intent_unexpected_state")
    named = method_id and the_customer_method(world, method_id, invoice["customer"], param="payment_method")
    if invoice["status"] == "draft":
        finalize(world, invoice)
        if invoice["status"] == "paid":
            return invoice
    method = named or method_for(world, invoice)
    if method is None:
        raise invalid(NO_METHOD, code="resource_missing")

    collect(world, invoice, method=method, off_session=off_session)
    raise_if_unpaid(world, invoice, code="invoice_payment_intent_requires_action")
    return invoice


def raise_if_unpaid(world: World, invoice: Object, *, code: str) -> None:
    """
    Raise the 402 of an invoice whose attempt failed; `code` is the caller's name for "the bank wants the customer".

    :raises StripeRefusal: the invoice is not paid.
    """
    if invoice["status"] == "paid":
        return
    intent = intent_of(world, invoice)
    if intent["status"] != "requires_action":
        raise refusal_of(world, intent)
    last = intent["last_payment_error"] or {}
    raise card_refusal(
        {
            "code": code,
            "decline_code": last.get("decline_code"),
            "message": "This payment requires additional user action before it can be completed successfully. "
            "Payment can be completed using the PaymentIntent associated with the invoice.",
            "payment_intent": shown(world, intent),
        }
    )
