"""Invoices: read, list, finalise, pay, void, give up."""

from typing import Any

from sandbox.world import World

from . import subscription_states
from .collecting import finalize
from .collecting import pay as collect_now
from .errors import invalid
from .events import emit
from .find import find_live, newest
from .invoicing import mark_paid, mark_uncollectible, void_invoice
from .lists import page, within
from .params import PAGE, TIME_RANGE, Params, boolean, clearable, count, group, integer, merged_metadata, metadata, text

Object = dict[str, Any]

RETRIEVE = group()
UPDATE = group(
    auto_advance=boolean,
    automatically_finalizes_at=integer,
    collection_method=text,
    days_until_due=count,
    default_payment_method=clearable(text),
    description=clearable(text),
    due_date=integer,
    footer=clearable(text),
    metadata=metadata,
)
FINALIZE = group(auto_advance=boolean)
PAY = group(off_session=boolean, paid_out_of_band=boolean, payment_method=text, forgive=boolean)
VOID = group()
MARK_UNCOLLECTIBLE = group()
LINES = group(**PAGE)
LIST = group(
    collection_method=text,
    created=TIME_RANGE,
    customer=text,
    due_date=TIME_RANGE,
    status=text,
    subscription=text,
    **PAGE,
)


def retrieve(world: World, _params: Params, invoice_id: str) -> Object:
    return find_live(world, "invoice", invoice_id)


def list_invoices(world: World, params: Params) -> Object:
    found = (
        invoice
        for invoice in newest(
            world,
            "invoice",
            customer=params.get("customer"),
            status=params.get("status"),
            collection_method=params.get("collection_method"),
            _subscription=params.get("subscription"),
        )
        if within(invoice["created"], params.get("created")) and within(invoice["due_date"], params.get("due_date"))
    )
    return page(found, params, "/v1/invoices")


def list_lines(world: World, params: Params, invoice_id: str) -> Object:
    """List all lines of an invoice; the invoice itself embeds the first ten."""
    return page(find_live(world, "invoice", invoice_id)["_lines"], params, f"/v1/invoices/{invoice_id}/lines")


def finalize_now(world: World, params: Params, invoice_id: str) -> Object:
    """Finalise a draft now; it is collected only if it advances by itself."""
    invoice = world.edit(find_live(world, "invoice", invoice_id))
    invoice["auto_advance"] = params.get("auto_advance", invoice["auto_advance"])
    finalize(world, invoice)
    if invoice["status"] == "open" and invoice["auto_advance"]:
        world.agenda.plan("collect", invoice_id, world.now() + 3600)
    return invoice


def pay(world: World, params: Params, invoice_id: str) -> Object:
    """Pay now: by card, or note that it was paid in some other way (`paid_out_of_band`)."""
    invoice = find_live(world, "invoice", invoice_id)
    if not params.get("paid_out_of_band"):
        # At Stripe, too, nobody is taken to be present unless the caller says so.
        off_session = params.get("off_session", True)
        return collect_now(world, invoice, method_id=params.get("payment_method"), off_session=off_session)

    if invoice["status"] == "draft":
        finalize(world, invoice)
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"Invoice is already {invoice['status']}")
    mark_paid(world, invoice, amount_paid=invoice["amount_paid"])
    subscription_states.invoice_was_paid(world, invoice, None)
    return invoice


def void(world: World, _params: Params, invoice_id: str) -> Object:
    invoice = find_live(world, "invoice", invoice_id)
    void_invoice(world, invoice)
    subscription_states.invoice_was_given_up(world, invoice)
    return invoice


def give_up(world: World, _params: Params, invoice_id: str) -> Object:
    invoice = find_live(world, "invoice", invoice_id)
    mark_uncollectible(world, invoice)
    subscription_states.invoice_was_given_up(world, invoice)
    return invoice


def update(world: World, params: Params, invoice_id: str) -> Object:
    """Change an invoice: anything while it is a draft, later only what does not change what is owed."""
    invoice = world.edit(find_live(world, "invoice", invoice_id))
    frozen = params.keys() - {"auto_advance", "metadata", "default_payment_method", "description", "footer", "due_date"}
    if invoice["status"] != "draft" and frozen:
        raise invalid(
            "Finalized invoices can't be updated in this way.", param=min(frozen), code="invoice_not_editable"
        )
    plain = {name: value for name, value in params.items() if name not in ("metadata", "days_until_due")}
    invoice.update(plain)
    invoice["_days_until_due"] = params.get("days_until_due", invoice["_days_until_due"])
    invoice["metadata"] = merged_metadata(invoice["metadata"], params.get("metadata"))
    if params.get("auto_advance") and invoice["status"] in ("draft", "open"):
        due_at = world.now() + 3600
        world.agenda.plan("finalize" if invoice["status"] == "draft" else "collect", invoice_id, due_at)
        invoice["automatically_finalizes_at"] = due_at if invoice["status"] == "draft" else None
    if params.get("auto_advance") is False:
        invoice.update(automatically_finalizes_at=None, next_payment_attempt=None)
        world.agenda.drop("finalize", invoice_id)
        world.agenda.drop("collect", invoice_id)
    emit(world, "invoice.updated", invoice)
    return invoice
