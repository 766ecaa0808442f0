"""A paid renewal moves what it pays for into the next period. It decides nothing: the same things, once more."""

from dataclasses import replace
from datetime import datetime

from accounts import journal
from accounts.lock import holds_lock

from ..entitle import entitle
from ..invoicing.clock import move_schedule
from ..models.invoices import Invoice
from ..models.objectproducts import Ope
from .save import save_phases


def renew(invoice: Invoice, *, now: datetime) -> None:
    """
    Let each OPE on this paid invoice hold for the period of its line, with entitlements and billing schedule.

    Under the account's lock. An OPE that is in that period or a later one already stays as it is, so repeating is
    safe and a late invoice sets nothing back. What ends with the old period is not renewed, whatever was billed.
    """
    assert holds_lock(invoice.account_id)
    periods = {line.ope_id: (line.period_start, line.period_end) for line in invoice.lines.all() if line.ope_id}
    live = list(Ope.objects.filter(account=invoice.account_id, deleted_date__isnull=True))
    moved = []
    for ope in live:
        phase = ope.scheduled or ope.current
        if ope.pk in periods and phase.rank > 0 and ope.current.starts_at < periods[ope.pk][0]:
            starts_at, ends_at = periods[ope.pk]
            ope.value_phases = [replace(phase, starts_at=starts_at, ends_at=ends_at).to_json()]
            moved.append(ope)
    if not moved:
        return
    save_phases(moved)
    ends_at = max(ends_at for _, ends_at in periods.values())
    if invoice.schedule_id is not None:
        move_schedule(invoice.schedule_id, next_at=ends_at)
    fact = entitle(invoice.account_id, live, now=now)
    after = {"invoice_id": invoice.pk, "opes": [ope.pk for ope in moved], "until": ends_at}
    renewed = journal.Fact("subscription.renewed", invoice.account_id, "system:billing", cause=invoice.pk, after=after)
    journal.emit(renewed, *([fact] if fact else []), at=now)
