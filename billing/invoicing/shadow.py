"""Shadow billing: what our own clock would have billed, kept beside each renewal of Stripe's and compared with it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.lock import holds_lock

from ..cfstripe import invoices
from ..cfstripe.shapes import read_invoice
from ..changes_calculator.change_set import PlannedLine
from ..changes_calculator.proration import period_containing
from ..models.invoices import BillingSchedule, Invoice
from ..models.shadow import ShadowBill
from . import credits as customer_credits
from .compare import Difference, ExpectedLine, by_price, differences
from .states import FinalizeReason

# Stripe makes a renewal within the hour; a clock whose period ended so long ago has none.
OVERDUE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One period of one account, and what differed in it; nothing: the two bills are the same."""

    account_id: str
    invoice_id: str
    number: str
    period_start: datetime
    differences: tuple[Difference, ...]


def expect(invoice: Invoice, lines: Sequence[PlannedLine], schedule: BillingSchedule) -> None:
    """Keep what we would have billed for the period that this renewal bills. With the invoice. One statement."""
    assert holds_lock(invoice.account_id)
    starts_at, ends_at = period_containing(schedule.anchor_at, schedule.interval, schedule.next_at)
    expected = by_price((line.stripe_price_id, line.quantity, line.amount_minor) for line in lines)
    ShadowBill.objects.create(
        invoice=invoice,
        lines=[[line.stripe_price_id, line.quantity, line.amount_minor] for line in expected],
        period_start=starts_at,
        period_end=ends_at,
    )


def to_compare() -> int:
    """Return how many renewals have not been compared yet."""
    return _open().count()


def compare_all(*, now: datetime) -> Iterator[Comparison]:
    """
    Compare every finalised renewal that has not been compared, write what differed, and yield each.

    Stripe is asked for each invoice as it is now. Stopped anywhere, the next run goes on from there.

    :raises StripeUnavailable: no answer; what was compared before stands.
    """
    for shadow in list(_open().select_related("invoice").order_by("period_start", "pk")):
        found = compare(shadow)
        ShadowBill.objects.filter(pk=shadow.pk).update(compared_at=now, differences=[asdict(each) for each in found])
        yield _comparison(shadow, found)


def compare(shadow: ShadowBill) -> tuple[Difference, ...]:
    """Return what differs between the bill we would have made and the one that Stripe made."""
    actual = read_invoice(invoices.retrieve(shadow.invoice.stripe_invoice_id))
    expected = [ExpectedLine(price, quantity, minor) for price, quantity, minor in shadow.lines]
    spent_minor = customer_credits.used_minor(shadow.invoice)
    return differences(expected, (shadow.period_start, shadow.period_end), actual, credit_minor=spent_minor)


def differing() -> list[Comparison]:
    """Return all comparisons that ever found a difference, the newest first. One statement."""
    rows = ShadowBill.objects.exclude(differences=[]).select_related("invoice").order_by("-period_start", "pk")
    return [_comparison(row, tuple(Difference(**each) for each in row.differences)) for row in rows]


def without_renewal(*, now: datetime) -> list[BillingSchedule]:
    """Return the clocks that are Stripe's and whose period ended long ago without a renewal. One statement."""
    renewed = Invoice.objects.filter(reason=FinalizeReason.CYCLE.value).values("schedule", "period_start")
    late = BillingSchedule.objects.filter(
        owner=BillingSchedule.Owner.STRIPE, ended_at__isnull=True, next_at__lt=now - OVERDUE
    )
    known = {(row["schedule"], row["period_start"]) for row in renewed.filter(schedule__in=late)}
    return [schedule for schedule in late if (schedule.pk, schedule.next_at) not in known]


def _open() -> QuerySet[ShadowBill]:
    return ShadowBill.objects.filter(compared_at__isnull=True, invoice__finalized_at__isnull=False)


def _comparison(shadow: ShadowBill, found: tuple[Difference, ...]) -> Comparison:
    invoice = shadow.invoice
    return Comparison(invoice.account_id, invoice.pk, invoice.number, shadow.period_start, found)
