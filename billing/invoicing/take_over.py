"""A renewal begins: Stripe has made a draft, and it becomes ours."""

from datetime import datetime

from accounts import journal
from accounts.lock import holds_lock

from ..cfstripe.shapes import Raw, read_invoice
from ..changes_calculator.change_set import PlannedLine
from ..models.catalog import Price
from ..models.invoices import BillingSchedule, Invoice
from ..models.objectproducts import Ope
from ..models.scheduled import Sslc
from . import shadow
from .due import take_on
from .follow import follow, settle
from .record import record_new
from .states import FinalizeReason, InvoiceStatus


def notice(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Record the invoice of a renewal when we first hear of it, due to be advanced; return whether anything changed.

    In the caller's transaction under the account's lock. Whatever state it has by then is recorded as it is: Stripe
    finalises a draft by itself when we are late. Invoices of purchases are written with their commit instead.
    """
    assert holds_lock(account_id)
    facts = read_invoice(raw)
    if Invoice.objects.filter(account=account_id, stripe_invoice_id=facts.id).exists():
        return follow(raw, account_id=account_id, now=now)
    schedule = BillingSchedule.objects.filter(
        account=account_id, stripe_subscription_id=facts.subscription_id, ended_at__isnull=True
    ).first()
    if schedule is None or facts.billing_reason != "subscription_cycle":
        return False
    invoice = record_new(
        facts,
        lines_due(account_id, schedule, as_told=True),
        account_id=account_id,
        schedule_id=schedule.pk,
        workflow_id=None,
        reason=FinalizeReason.CYCLE,
    )
    shadow.expect(invoice, lines_due(account_id, schedule), schedule)
    if invoice.status in {InvoiceStatus.DRAFT.value, InvoiceStatus.OPEN.value}:
        take_on(invoice, at=now)
    settle(invoice, raw, now=now)
    after = {
        "invoice_id": invoice.pk,
        "status": invoice.status,
        "total_minor": invoice.total_minor,
        "currency": invoice.currency,
    }
    journal.emit(journal.Fact("invoice.recorded", account_id, "system:billing", cause=facts.id, after=after), at=now)
    return True


def lines_due(account_id: str, schedule: BillingSchedule, *, as_told: bool = False) -> list[PlannedLine]:
    """
    Return what the OPEs that this clock bills say is due for one more period, each at the price it was sold at.

    `as_told`: of what is scheduled, and what Stripe was not told of in time, what it bills instead.
    """
    untold = Sslc.objects.filter(schedule=schedule, ended_at__isnull=True, applied_at__isnull=True) if as_told else ()
    unchanged = {ope_id for sslc in untold for ope_id in sslc.ope_ids}
    billed = Ope.objects.filter(
        account=account_id,
        license_source_id__startswith=f"{schedule.stripe_subscription_id}:",
        deleted_date__isnull=True,
    )
    # What ends with the period, or is billed by another clock then, is due no more.
    phases = {
        ope.pk: (ope, phase)
        for ope in billed
        if (phase := ope.current if ope.pk in unchanged else ope.scheduled or ope.current).rank > 0
        and phase.interval == schedule.interval
        and phase.price_id
    }
    prices = Price.objects.in_bulk({phase.price_id for _, phase in phases.values()})
    return [
        PlannedLine(
            ope_id=ope.pk,
            description=phase.billed_as(ope.product, is_plan=ope.kind == Ope.Kind.ENUM),
            price_id=phase.price_id,
            stripe_price_id=prices[phase.price_id].stripe_price_id,
            quantity=phase.billed_quantity,
            unit_amount_minor=phase.unit_amount_minor,
            amount_minor=phase.amount_minor,
        )
        for ope, phase in phases.values()
    ]
