"""
A renewal that Stripe began before it was told what the new period holds: corrected, as a draft or by a credit note.

Stripe leaves a draft alone for an hour, and for days while nobody takes its news: workers that were down find it, or
what it has become by then.
"""

from collections.abc import Sequence
from datetime import datetime

from accounts import journal
from accounts.lock import account_lock

from ..cfstripe import invoice_items, invoices
from ..cfstripe.shapes import InvoiceFacts, Raw, read_invoice
from ..models.invoices import BillingSchedule, Invoice
from ..models.left_clocks import LeftClock
from ..models.scheduled import Sslc
from ..objectproducts.phases import Phase
from .credit_notes import tax_part_minor
from .finalize import finalize
from .record import record_lines_again
from .states import InvoiceStatus
from .take_off import take_off
from .take_over import lines_due, notice

INVOICES_ASKED_FOR = 3
BILLED_TOO_MUCH = "Changed before this period began"


def waits_for_scheduled(invoice: Invoice) -> bool:
    """Whether Stripe has not been told yet of something that was to change, or has left, before this period."""
    if LeftClock.objects.filter(schedule=invoice.schedule_id).exists():
        return True
    untold = Sslc.objects.filter(schedule=invoice.schedule_id, ended_at__isnull=True, applied_at__isnull=True)
    return invoice.schedule_id is not None and untold.filter(applies_at__lte=invoice.created_at).exists()


def correct_renewal(
    schedule: BillingSchedule, phases: Sequence[Phase], *, period_start: datetime, key: str, now: datetime
) -> None:
    """
    Let the renewal that began at `period_start` bill these phases and nothing else, and finalise it.

    What it bills too much is taken off by a negative line; of one that is finalised already, by a credit note, and what
    was paid goes back. Not in a transaction; safe to repeat with the same `key`.

    :raises StripeUnavailable: no answer; nothing is half done that repeating would not do.
    """
    raw = _renewal(schedule, period_start)
    if raw is None:
        return
    facts = read_invoice(raw)
    too_much_minor = _billed_minor(facts, period_start) - sum(phase.amount_minor for phase in phases)
    if facts.status == InvoiceStatus.DRAFT.value and too_much_minor > 0:
        invoice_items.add(
            facts.id,
            customer_id=facts.customer_id,
            currency=facts.currency,
            amount_minor=-too_much_minor,
            description=BILLED_TOO_MUCH,
            key=key,
        )
    raw = invoices.retrieve(facts.id)
    with account_lock(schedule.account_id):
        notice(raw, account_id=schedule.account_id, now=now)
        invoice = Invoice.objects.get(account=schedule.account_id, stripe_invoice_id=facts.id)
        if invoice.status == InvoiceStatus.DRAFT.value:
            record_lines_again(invoice, read_invoice(raw), lines_due(schedule.account_id, schedule))
            after = {"invoice_id": invoice.pk, "total_minor": invoice.total_minor}
            fact = journal.Fact("invoice.updated", schedule.account_id, "system:billing", cause=facts.id, after=after)
            journal.emit(fact, at=now)
    if invoice.status == InvoiceStatus.DRAFT.value:
        finalize(invoice, now=now)
    elif too_much_minor > 0:
        tax_minor = tax_part_minor(invoice.tax_minor, of_minor=too_much_minor, whole_minor=invoice.subtotal_minor)
        take_off(invoice, too_much_minor + tax_minor, cause=key, reason=BILLED_TOO_MUCH, now=now)


def _renewal(schedule: BillingSchedule, period_start: datetime) -> Raw | None:
    for raw in reversed(invoices.of_subscription(schedule.stripe_subscription_id, limit=INVOICES_ASKED_FOR)):
        facts = read_invoice(raw)
        if facts.billing_reason == "subscription_cycle" and _billed_lines(facts, period_start):
            return raw
    return None


def _billed_lines(facts: InvoiceFacts, period_start: datetime) -> list[int]:
    return [
        line.amount_minor
        for line in facts.lines
        if line.item_id and not line.is_proration and line.period_start >= period_start
    ]


def _billed_minor(facts: InvoiceFacts, period_start: datetime) -> int:
    """What the period's lines bill, less what was taken off them before."""
    taken_off = (line.amount_minor for line in facts.lines if not line.item_id and line.description == BILLED_TOO_MUCH)
    return sum(_billed_lines(facts, period_start)) + sum(taken_off)
