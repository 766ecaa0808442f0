"""Credit pays for a renewal before money does: on the draft, as a line below zero."""

from datetime import datetime

from accounts import journal
from accounts.lock import account_lock, holds_lock

from ..cfstripe import invoice_items
from ..cfstripe.errors import StripeRefused
from ..cfstripe.shapes import InvoiceFacts, LineFacts, Raw, read_invoice
from ..changes_calculator.credited import DESCRIPTION
from ..models.invoices import Invoice
from . import credits as customer_credits
from .record import add_credit_line
from .spending import spend
from .states import InvoiceStatus


def apply_to_draft(invoice: Invoice, raw: Raw, *, now: datetime) -> None:
    """
    Put as much credit on a draft of Stripe's as there is, and no more than it comes to. Safe to repeat.

    It is reserved before the call, so that nothing else spends it; `settle_credits` uses or frees it. A draft that
    Stripe finalised meanwhile takes none. Not in a transaction.

    :raises StripeUnavailable: no answer; the next try sends the same line by the same key.
    """
    facts = read_invoice(raw)
    with account_lock(invoice.account_id):
        reserved = customer_credits.reserved_for(invoice_id=invoice.pk)
        if not reserved:
            left = customer_credits.spendable(invoice.account_id, at=now)
            parts = spend(max(0, facts.total_minor), left, currency=invoice.currency)
            if parts:
                customer_credits.reserve(invoice.account_id, parts, invoice=invoice, now=now)
                fact = journal.Fact(
                    "credit.reserved",
                    invoice.account_id,
                    "system:billing",
                    cause=invoice.pk,
                    after={"invoice_id": invoice.pk, "amount_minor": sum(part for _, part in parts)},
                )
                journal.emit(fact, at=now)
            reserved = customer_credits.reserved_for(invoice_id=invoice.pk) if parts else []
    if not reserved or _line_of(facts, sum(part.amount_minor for part in reserved)):
        return
    try:
        invoice_items.add(
            invoice.stripe_invoice_id,
            customer_id=facts.customer_id,
            currency=invoice.currency,
            amount_minor=-sum(part.amount_minor for part in reserved),
            description=DESCRIPTION,
            key=f"invoice_{invoice.pk}_credit",
        )
    except StripeRefused:
        return  # it is no draft any more; what was reserved is freed when that is recorded


def settle_credits(invoice: Invoice, raw: Raw, *, now: datetime) -> None:
    """
    Use what was reserved for a draft that is finalised now, or free it if its line is not there, or nobody has to pay.

    In the caller's transaction under the account's lock, after our row has followed Stripe's. Safe to repeat.
    """
    assert holds_lock(invoice.account_id)
    if invoice.status == InvoiceStatus.DRAFT.value:
        return
    reserved = customer_credits.reserved_for(invoice_id=invoice.pk)
    if not reserved:
        return
    facts = read_invoice(raw)
    amount_minor = sum(part.amount_minor for part in reserved)
    line = _line_of(facts, amount_minor)
    # Stripe shows the first lines of a long invoice only; what the others come to says whether it is among them.
    recorded_minor = sum(invoice.lines.values_list("amount_minor", flat=True))
    is_on_it = line is not None or recorded_minor - amount_minor == facts.subtotal_minor
    if is_on_it and invoice.status != InvoiceStatus.VOID.value:
        add_credit_line(invoice, amount_minor, stripe_line_id=line.id if line else "", description=DESCRIPTION)
        done = customer_credits.use(invoice, reserved, now=now)
    else:
        done = customer_credits.free(invoice.account_id, reserved, now=now)
    journal.emit(*done, at=now)


def _line_of(facts: InvoiceFacts, amount_minor: int) -> LineFacts | None:
    return next((x for x in facts.lines if (x.amount_minor, x.description) == (-amount_minor, DESCRIPTION)), None)
