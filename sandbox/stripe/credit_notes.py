"""Credit notes: an invoice made smaller, before it is paid or after."""

from collections.abc import Sequence
from typing import Any

from sandbox.world import World

from . import subscription_states
from .balance import move_balance
from .errors import invalid, malformed
from .events import emit
from .find import find, find_live, newest
from .ids import new_id, random_text
from .invoicing import intent_of, mark_paid
from .lists import page, within
from .params import (
    PAGE,
    TIME_RANGE,
    Params,
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
from .refunds import refund_charge
from .taxes import tax, totals

Object = dict[str, Any]

LINE = group(
    {"type": one_of("custom_line_item", "invoice_line_item")},
    amount=count,
    description=text,
    invoice_line_item=text,
    metadata=metadata,
    quantity=count,
    tax_amounts=many(group({"amount": integer, "tax_rate": text, "taxable_amount": integer})),
    unit_amount=integer,
)
CREATE = group(
    {"invoice": text},
    amount=count,
    credit_amount=count,
    email_type=text,
    lines=many(LINE),
    memo=clearable(text),
    metadata=metadata,
    out_of_band_amount=count,
    reason=one_of("duplicate", "fraudulent", "order_change", "product_unsatisfactory"),
    refund_amount=count,
    refunds=many(group(amount_refunded=count, refund=text, type=one_of("refund"))),
)
RETRIEVE = group()
VOID = group()
LIST = group(created=TIME_RANGE, customer=text, invoice=text, **PAGE)


def create(world: World, params: Params) -> Object:
    """
    Credit part of an invoice.

    On an open invoice less is to be paid; nothing left makes it paid. On a paid one the whole amount has to go
    somewhere: back to the card, to the customer's balance, or out of band.

    :raises StripeRefusal: the invoice is neither open nor paid, or more is credited than is left of it or of a line.
    """
    invoice = find_live(world, "invoice", params["invoice"], param="invoice")
    if invoice["status"] not in ("open", "paid"):
        raise invalid(
            f"Credit notes can only be created for open or paid invoices; this one is {invoice['status']}.",
            param="invoice",
        )
    lines = _lines(world, invoice, params)
    total = totals(lines)["total"]
    earlier = sum(note["total"] for note in _issued(world, invoice))
    left = invoice["amount_remaining"] if invoice["status"] == "open" else invoice["total"] - earlier
    if not 0 < total <= left:
        raise invalid(
            f"The amount of the credit note ({total}) must be greater than 0 and at most {left}, what is left of "
            "the invoice.",
            param="amount",
        )
    is_open = invoice["status"] == "open"
    note = world.add(_new_note(world, invoice, params, lines, total, is_open=is_open))
    emit(world, "credit_note.created", note)
    if is_open:
        _reduce(world, invoice, total)
    else:
        _give_back(world, invoice, note, params, total)
    return note


def retrieve(world: World, _params: Params, note_id: str) -> Object:
    return find(world, "credit_note", note_id)


def list_notes(world: World, params: Params) -> Object:
    notes = newest(world, "credit_note", customer=params.get("customer"), invoice=params.get("invoice"))
    return page((note for note in notes if within(note["created"], params.get("created"))), params, "/v1/credit_notes")


def void(world: World, _params: Params, note_id: str) -> Object:
    """Take a credit note back; only while its invoice is open."""
    note = world.edit(find(world, "credit_note", note_id))
    invoice = find(world, "invoice", note["invoice"])
    if note["status"] == "void" or invoice["status"] != "open":
        raise invalid("Only credit notes of open invoices can be voided.", code="status_transition_invalid")
    note.update(status="void", voided_at=world.now())
    _reduce(world, invoice, -note["total"])
    emit(world, "credit_note.voided", note)
    return note


def _reduce(world: World, invoice: Object, amount: int) -> None:
    """Let less be paid for an open invoice; an intent follows the amount."""
    invoice = world.edit(invoice)
    for name in ("amount_due", "amount_remaining"):
        invoice[name] -= amount
    invoice["pre_payment_credit_notes_amount"] += amount
    if invoice["amount_remaining"] == 0:
        mark_paid(world, invoice, amount_paid=invoice["amount_paid"])
        subscription_states.invoice_was_paid(world, invoice, None)
        return
    world.edit(intent_of(world, invoice))["amount"] = invoice["amount_remaining"]
    for payment in newest(world, "invoice_payment", invoice=invoice["id"]):
        if payment["status"] == "open":
            world.edit(payment)["amount_requested"] = invoice["amount_remaining"]
    emit(world, "invoice.updated", invoice)


def _give_back(world: World, invoice: Object, note: Object, params: Params, total: int) -> None:
    """Send what a paid invoice is credited where the request says; all of it, and no more."""
    made = params.get("refunds", [])
    refunded = params.get("refund_amount", 0)
    balance = params.get("credit_amount", 0)
    outside = params.get("out_of_band_amount", 0)
    linked = sum(
        link.get("amount_refunded", find(world, "refund", link["refund"], param="refunds")["amount"]) for link in made
    )
    if refunded + balance + outside + linked != total:
        raise invalid(
            f"The sum of credit amount, refund amount and out of band amount ({refunded + balance + outside + linked})"
            f" must equal the post-payment credit note amount ({total})."
        )
    invoice = world.edit(invoice)
    invoice["post_payment_credit_notes_amount"] += total
    links = [(link["refund"], link.get("amount_refunded")) for link in made]
    if refunded:
        refund = refund_charge(world, _charge_that_paid(world, invoice), amount=refunded)
        links.append((refund["id"], refunded))
    if balance:
        customer = find(world, "customer", invoice["customer"])
        moved = move_balance(
            world, customer, -balance, kind="credit_note", currency=invoice["currency"], credit_note=note["id"]
        )
        note["customer_balance_transaction"] = moved["id"]
    note["refunds"] = [
        {
            "amount_refunded": amount or find(world, "refund", refund_id)["amount"],
            "payment_record_refund": None,
            "refund": refund_id,
            "type": "refund",
        }
        for refund_id, amount in links
    ]
    emit(world, "invoice.updated", invoice)


def _charge_that_paid(world: World, invoice: Object) -> Object:
    for payment in newest(world, "invoice_payment", invoice=invoice["id"]):
        if payment["status"] == "paid":
            intent = find(world, "payment_intent", payment["payment"]["payment_intent"])
            return find(world, "charge", intent["latest_charge"])
    raise invalid("The invoice was not paid by a charge that could be refunded.", param="refund_amount")


def _lines(world: World, invoice: Object, params: Params) -> list[Object]:
    if "lines" not in params:
        amount = params.get("amount", sum(params.get(name, 0) for name in PARTS) or invoice["amount_remaining"])
        return [_line(amount, description=None, kind="custom_line_item")]
    billed = {line["id"]: line for line in invoice["_lines"]}
    lines = []
    for position, said in enumerate(params["lines"]):
        if said["type"] == "custom_line_item":
            amount = said.get("amount", said.get("unit_amount", 0) * said.get("quantity", 1))
            taxes = [
                tax(t["amount"], taxable=t["taxable_amount"], rate_id=t["tax_rate"])
                for t in said.get("tax_amounts", [])
            ]
            lines.append(_line(amount, description=said.get("description"), kind="custom_line_item", taxes=taxes))
            continue
        line = billed.get(said.get("invoice_line_item", ""))
        if line is None:
            raise malformed("No such invoice line item.", param=f"lines[{position}][invoice_line_item]")
        amount = said.get("amount")
        if amount is None:
            amount = line["amount"] * said.get("quantity", line["quantity"]) // line["quantity"]
        if amount > line["amount"] - _credited(world, invoice, line["id"]):
            raise invalid("The credited amount is greater than what is left of the line.", param=f"lines[{position}]")
        lines.append(_line(amount, description=line["description"], kind="invoice_line_item", of=line))
    return lines


def _credited(world: World, invoice: Object, line_id: str) -> int:
    return sum(
        line["amount"]
        for note in _issued(world, invoice)
        for line in note["_lines"]
        if line.get("invoice_line_item") == line_id
    )


def _issued(world: World, invoice: Object) -> list[Object]:
    return [note for note in newest(world, "credit_note", invoice=invoice["id"]) if note["status"] == "issued"]


def _line(
    amount: int, *, description: str | None, kind: str, of: Object | None = None, taxes: Sequence[Object] = ()
) -> Object:
    return {
        "id": new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": description,
        "discount_amount": 0,
        "discount_amounts": [],
        **({"invoice_line_item": of["id"]} if of else {}),
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": of["quantity"] if of else 1,
        "tax_rates": [],
        "taxes": list(taxes),
        "type": kind,
        "unit_amount": None,
        "unit_amount_decimal": None,
    }


def _new_note(
    world: World, invoice: Object, params: Params, lines: list[Object], total: int, *, is_open: bool
) -> Object:
    number = sum(1 for _ in newest(world, "credit_note", invoice=invoice["id"])) + 1
    note_id = new_id("cn")
    return {
        "id": note_id,
        "object": "credit_note",
        "amount": total,
        "amount_shipping": 0,
        "created": world.now(),
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": world.now(),
        "invoice": invoice["id"],
        "livemode": False,
        "memo": params.get("memo"),
        "metadata": merged_metadata({}, params.get("metadata")),
        "number": f"{invoice['number']}-CN-{number:02d}",
        "out_of_band_amount": params.get("out_of_band_amount"),
        "pdf": f"https://pay.stripe.com/credit_notes/sandbox/test_{random_text(20)}/pdf",
        "post_payment_amount": 0 if is_open else total,
        "pre_payment_amount": total if is_open else 0,
        "pretax_credit_amounts": [],
        "reason": params.get("reason"),
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        **totals(lines),
        "type": "pre_payment" if is_open else "post_payment",
        "voided_at": None,
        "_lines": lines,
    }


PARTS = ("refund_amount", "credit_amount", "out_of_band_amount")
