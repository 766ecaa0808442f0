"""What a cancellation settles: unused time as a credit, and everything that waits on one last invoice."""

from typing import Any

from sandbox.world import World

from .collecting import collect, finalize, method_for
from .events import emit
from .find import find
from .invoice_drafts import draft_invoice
from .invoice_items import add_pending, pending_items, pull_pending
from .items import whole_period
from .lines import credit_line
from .prices import name_of

Object = dict[str, Any]


def settle_end(world: World, subscription: Object, *, prorates: bool, invoices_now: bool) -> None:
    """Credit the unused time of what was billed (`prorates`), and bill at once what waits (`invoices_now`)."""
    if subscription["status"] == "incomplete":
        return
    customer = find(world, "customer", subscription["customer"])
    for item in subscription["_items"] if prorates else ():
        if item["_billed"] is None:
            continue
        price = find(world, "price", item["_billed"]["price"])
        line = credit_line(
            subscription["id"],
            item,
            price,
            start=world.now(),
            end=item["current_period_end"],
            period=whole_period(subscription, price, item["current_period_end"] - 1),
            name=name_of(world, price),
        )
        add_pending(world, customer, line, subscription["id"])
    waiting = pending_items(world, customer["id"], subscription["currency"], subscription["id"])
    if not invoices_now or not waiting:
        return
    invoice = draft_invoice(
        world,
        customer,
        currency=subscription["currency"],
        billing_reason="subscription_update",
        lines=[item["_line"] for item in waiting],
        period=(world.now(), world.now()),
        subscription=subscription,
    )
    pull_pending(world, invoice, waiting)
    world.edit(subscription)["latest_invoice"] = invoice["id"]
    emit(world, "invoice.created", invoice)
    finalize(world, invoice)
    if invoice["status"] == "open":
        collect(world, invoice, method=method_for(world, invoice), off_session=True)
