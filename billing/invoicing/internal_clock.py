"""The internal clock: it makes its own invoices, many accounts at a time, from what their OPEs say they hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from accounts import journal
from accounts.claim import claim, give_back
from accounts.lock import AccountBusy, lock_accounts
from accounts.models import new_id

from ..changes_calculator.proration import period_containing
from ..models.invoices import BillingSchedule, BillingScheduleDue
from . import clock, credit_cycles, ledger, record_cycles
from .record_cycles import CyclePeriod, MadeInvoice

BATCH = 1000
BUSY_SECONDS = 1.0
# A scalar subquery on purpose: it is looked up row by row, in the order of the due times, and never joined as a whole.
_INTERNAL = "(SELECT owner FROM billing_schedule WHERE id = schedule_id) = 'internal'"
# A batch is a thousand of millions: read by index, or each batch reads the tables whole and costs more as they grow.
# Hash joins stay: without them the batch's own rows are compared each with each, a million times.
_BY_INDEX = """
SELECT set_config(name, 'off', TRUE) FROM unnest(ARRAY['enable_seqscan', 'enable_mergejoin']) AS name
"""


@dataclass(frozen=True, slots=True)
class Billed:
    """What one batch came to."""

    schedules: int
    invoices: int


def bill_due(*, now: datetime, limit: int = BATCH) -> int:
    """Bill up to `limit` internal clocks for their next period, and return how many were due."""
    return bill_batch(until=now, now=now, limit=limit).schedules


def bill_until(until: datetime, *, now: datetime, batch: int = BATCH) -> Iterator[Billed]:
    """
    Bill every period of every internal clock that begins by `until`, a batch at a time, yielding each batch.

    It may be stopped anywhere and run twice at once: each clock is one run's at a time, by lease, and a period is
    billed once (a unique constraint on account, clock, period and reason stands behind it).
    """
    clock.start_contract_clocks(now=now)
    while (billed := bill_batch(until=until, now=now, limit=batch)).schedules:
        yield billed


def bill_batch(*, until: datetime, now: datetime, limit: int) -> Billed:
    """
    Bill the oldest due clocks for one period each: invoices with numbers and lines, ledger, journal, next due time.

    Credit pays first, as far as there is any. One transaction, and a number of statements that does not grow with the
    accounts.
    """
    due = claim(BillingScheduleDue, _INTERNAL, now=until, limit=limit)
    if not due:
        return Billed(0, 0)
    schedules = BillingSchedule.objects.in_bulk([row.pk for row in due])
    periods = [_period(schedule) for schedule in schedules.values()]
    try:
        with lock_accounts(sorted({period.account_id for period in periods})), connection.cursor() as cursor:
            cursor.execute(_BY_INDEX)
            made = record_cycles.record_cycles(periods, now=now)
            made, used = credit_cycles.pay_by_credit(made, now=now)
            ledger.post_finalized(made, at=now)
            ends = {period.schedule_id: period.ends_at for period in periods}
            empty = sorted(ends.keys() - {invoice.schedule_id for invoice in made})
            clock.move_internal(due, ends)
            if empty:
                clock.end_unused(empty, at=now)
            _journal(made, used, now=now)
    except AccountBusy:
        for row in due:
            give_back(row, for_seconds=BUSY_SECONDS)
        return Billed(len(due), 0)
    return Billed(len(due), len(made))


def _period(schedule: BillingSchedule) -> CyclePeriod:
    starts_at, ends_at = period_containing(schedule.anchor_at, schedule.interval, schedule.next_at)
    return CyclePeriod(
        invoice_id=new_id(),
        account_id=schedule.account_id,
        schedule_id=schedule.pk,
        interval=schedule.interval,
        starts_at=starts_at,
        ends_at=ends_at,
    )


def _journal(made: Sequence[MadeInvoice], used: Sequence[journal.Fact], *, now: datetime) -> None:
    facts = [
        journal.Fact(
            "invoice.recorded",
            invoice.account_id,
            "system:billing",
            cause=invoice.schedule_id,
            after={
                "invoice_id": invoice.id,
                "status": invoice.status,
                "total_minor": invoice.total_minor,
                "currency": invoice.currency,
            },
        )
        for invoice in made
    ]
    if facts:
        journal.emit(*facts, *used, at=now)
