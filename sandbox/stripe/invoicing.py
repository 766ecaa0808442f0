"""An invoice's life from its draft on: finalised, paid, void, uncollectible. Who pays it is collecting.py's."""

from typing import Any

from sandbox.world import World

from .balance import move_balance
from .errors import invalid
from .events import emit
from .find import find, newest
from .ids import new_id, random_text
from .invoice_drafts import due_and_ending_balance, put_lines
from .paying import PAYABLE, cancel_intent, new_intent

Object = dict[str, Any]

REASONS_OF_SUBSCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}


def finalize_invoice(world: World, invoice: Object) -> None:
    """
    Give a draft its number, apply the customer balance, and ask for the payment; with nothing to pay it is paid.

    :raises StripeRefusal: it is no draft.
    """
    if invoice["status"] != "draft":
        raise invalid(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.", code="invoice_not_editable"
        )
    invoice = world.edit(invoice)
    customer = world.edit(find(world, "customer", invoice["customer"]))
    put_lines(invoice, invoice["_lines"], balance=customer["balance"])
    due, ending = due_and_ending_balance(invoice["total"], customer["balance"], invoice["currency"])
    now = world.now()
    invoice.update(
        status="open",
        number=f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        effective_at=now,
        ending_balance=ending,
        automatically_finalizes_at=None,
        hosted_invoice_url=f"https://invoice.stripe.com/i/sandbox/test_{random_text(20)}",
        invoice_pdf=f"https://pay.stripe.com/invoice/sandbox/test_{random_text(20)}/pdf",
    )
    invoice["status_transitions"]["finalized_at"] = now
    if invoice["collection_method"] == "send_invoice" and invoice["due_date"] is None:
        invoice["due_date"] = now + (invoice["_days_until_due"] or 30) * 86_400
    customer["next_invoice_sequence"] += 1
    customer["currency"] = customer["currency"] or invoice["currency"]
    _apply_balance(world, invoice, customer, ending)
    if due > 0:
        _ask_for_payment(world, invoice, due)
    emit(world, "invoice.finalized", invoice)
    world.agenda.drop("finalize", invoice["id"])
    if due == 0:
        mark_paid(world, invoice, amount_paid=0)


def mark_paid(world: World, invoice: Object, *, amount_paid: int) -> None:
    """Note that nothing is owed any more; `amount_paid` came through Stripe, the rest out of band or not at all."""
    invoice = world.edit(invoice)
    invoice.update(
        status="paid", attempted=True, amount_paid=amount_paid, amount_remaining=0, next_payment_attempt=None
    )
    invoice["auto_advance"] = False
    invoice["status_transitions"]["paid_at"] = world.now()
    world.agenda.drop("collect", invoice["id"])
    withdraw_payments(world, invoice)
    emit(world, "invoice.updated", invoice)
    emit(world, "invoice.paid", invoice)
    emit(world, "invoice.payment_succeeded", invoice)


def void_invoice(world: World, invoice: Object) -> None:
    """
    Declare an open or uncollectible invoice void: its payment is cancelled and used credit goes back.

    :raises StripeRefusal: it is a draft, paid, or void already.
    """
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(
            f"You can only pass in open invoices. This invoice isn't open (it is {invoice['status']}).",
            code="status_transition_invalid",
        )
    invoice = world.edit(invoice)
    withdraw_payments(world, invoice)
    invoice.update(status="void", auto_advance=False, next_payment_attempt=None, amount_remaining=0)
    invoice["status_transitions"]["voided_at"] = world.now()
    used = invoice["ending_balance"] - invoice["starting_balance"]
    if used:
        customer = find(world, "customer", invoice["customer"])
        move_balance(
            world, customer, -used, kind="unapplied_from_invoice", currency=invoice["currency"], invoice=invoice["id"]
        )
    world.agenda.drop("collect", invoice["id"])
    emit(world, "invoice.voided", invoice)


def mark_uncollectible(world: World, invoice: Object) -> None:
    """Give up on an open invoice; it can still be paid or voided later."""
    if invoice["status"] != "open":
        raise invalid(
            f"You can only mark open invoices as uncollectible (this one is {invoice['status']}).",
            code="status_transition_invalid",
        )
    invoice = world.edit(invoice)
    invoice.update(status="uncollectible", auto_advance=False, next_payment_attempt=None)
    invoice["status_transitions"]["marked_uncollectible_at"] = world.now()
    world.agenda.drop("collect", invoice["id"])
    emit(world, "invoice.updated", invoice)
    emit(world, "invoice.marked_uncollectible", invoice)


def intent_of(world: World, invoice: Object) -> Object:
    """Return the PaymentIntent by which Stripe collects an invoice that waits for money."""
    payments = newest(world, "invoice_payment", invoice=invoice["id"])
    payment = next(payment for payment in payments if payment["is_default"])
    return find(world, "payment_intent", payment["payment"]["payment_intent"])


def note_paid(world: World, invoice: Object, intent: Object, *, amount_paid: int) -> None:
    """Note in an invoice's payment by this intent that the money came."""
    for payment in newest(world, "invoice_payment", invoice=invoice["id"]):
        if payment["status"] == "open" and payment["payment"]["payment_intent"] == intent["id"]:
            payment = world.edit(payment)  # noqa: PLW2901  (the same document, now to be written)
            payment.update(status="paid", amount_paid=amount_paid)
            payment["status_transitions"]["paid_at"] = world.now()
            emit(world, "invoice_payment.paid", payment)


def withdraw_payments(world: World, invoice: Object) -> None:
    """Cancel every payment of an invoice that still waits for money."""
    for payment in list(newest(world, "invoice_payment", invoice=invoice["id"])):
        if payment["status"] != "open":
            continue
        world.edit(payment)["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = world.now()
        intent = find(world, "payment_intent", payment["payment"]["payment_intent"])
        if intent["status"] in PAYABLE:
            cancel_intent(world, intent, reason="void_invoice")


def _ask_for_payment(world: World, invoice: Object, due: int) -> None:
    subscription = world.documents.get("subscription", invoice.get("_subscription", ""))
    saves = subscription is not None and (subscription["payment_settings"] or {}).get("save_default_payment_method")
    intent = new_intent(
        world,
        amount=due,
        currency=invoice["currency"],
        customer_id=invoice["customer"],
        description=REASONS_OF_SUBSCRIPTIONS.get(invoice["billing_reason"], invoice["description"]),
        setup_future_usage="off_session" if saves == "on_subscription" else None,
        _invoice=invoice["id"],
    )
    attach_intent(world, invoice, intent, payment_id=new_id("inpay"), is_default=True)


def attach_intent(world: World, invoice: Object, intent: Object, *, payment_id: str, is_default: bool) -> Object:
    """Note that an intent is to pay an invoice; the default one is what Stripe itself collects."""
    intent["_invoice"] = invoice["id"]
    return world.add(
        {
            "id": payment_id,
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": intent["amount"],
            "created": world.now(),
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": is_default,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )


def _apply_balance(world: World, invoice: Object, customer: Object, ending: int) -> None:
    change = ending - customer["balance"]
    if change:
        kind = "invoice_too_small" if change > 0 else "applied_to_invoice"
        kind = "applied_to_invoice" if customer["balance"] < 0 else kind
        move_balance(world, customer, change, kind=kind, currency=invoice["currency"], invoice=invoice["id"])
