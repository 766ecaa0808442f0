"""What was scheduled happens: Stripe is told before the period ends, and at its end our own rows move on."""

from datetime import datetime, timedelta

from accounts import claim as leases
from accounts import journal
from accounts.lock import account_lock
from accounts.models import Zone
from accounts.sweep import sweep

from ..cfstripe import subscriptions
from ..cfstripe.errors import StripeUnavailable
from ..entitle import entitle
from ..invoicing.clock import end_schedule
from ..invoicing.late import correct_renewal
from ..models.invoices import BillingSchedule
from ..models.left_clocks import LeftClock
from ..models.objectproducts import Ope
from ..models.scheduled import Sslc
from .licences import FREE_LICENSE
from .next_period import is_late, note_item, phases_with, tell_stripe
from .request import PaymentUnavailable
from .save import save_phases
from .scheduled import scheduled_fact, undo
from .supersede import claims_on, give_up_waiting
from .tidy import is_taking_off

TRY_AGAIN = timedelta(minutes=10)
# What is to be bought at the end of the period is `switches.py`'s, from the end on.
DUE = "ended_at IS NULL AND schedule_id IS NOT NULL AND (applied_at IS NULL OR NOT is_switch OR next_at < applies_at)"
CLOCK_IS_HELD = timedelta(minutes=1)


def apply_due(*, now: datetime, limit: int = 20) -> int:
    """
    Take up to `limit` scheduled changes on that are due, and return how many were looked at.

    Six hours before the end Stripe's items change, without proration; at the end our own rows do.
    """

    def act(sslc: Sslc) -> None:
        if sslc.taken_back_by and now < sslc.applies_at:
            undo(sslc, actor=sslc.taken_back_by, now=now)
        elif sslc.applied_at is None:
            _apply(sslc, now=now)
        else:
            finish(sslc, now=now)

    due = leases.claim(Sslc, DUE, now=now, limit=limit)
    return sweep(due, act, now=now, passing=(PaymentUnavailable, StripeUnavailable), wait=lambda _attempts: TRY_AGAIN)


def _apply(sslc: Sslc, *, now: datetime) -> None:
    """
    Tell Stripe, and note it with the items that bill what remains; our phases stay until the period ends.

    A change that still waits for its customer on this clock is given up first: Stripe would drop it when its
    subscription changes under it. One that is being made this moment is waited for; from the mark on none begins.
    """
    schedule = sslc.schedule
    assert schedule is not None, "nobody bills a trial"
    give_up_waiting(schedule, now=now)
    with account_lock(sslc.account_id):
        is_left = LeftClock.objects.filter(schedule=schedule).exists()
        if is_left or claims_on(schedule).exists() or is_taking_off(schedule):
            leases.release(sslc, next_at=now + CLOCK_IS_HELD)
            return
        leases.renew(sslc, is_telling=True)
    subscription = tell_stripe(sslc, without=False, now=now)
    if is_late(subscription, sslc):
        _correct(sslc, schedule, now=now)
    with account_lock(sslc.account_id):
        opes = list(Ope.objects.filter(pk__in=sslc.ope_ids))
        for ope in opes:
            note_item(ope, subscription, ope.scheduled)
        save_phases(opes)
        leases.release(sslc, applied_at=now, is_telling=False, next_at=sslc.applies_at)
        journal.emit(scheduled_fact("change.applied", sslc, actor="system:billing"), at=now)


def _correct(sslc: Sslc, schedule: BillingSchedule, *, now: datetime) -> None:
    """Stripe has begun the period already: let its invoice bill what remains, and end it if nothing does."""
    phases = phases_with(sslc)
    correct_renewal(schedule, phases, period_start=sslc.applies_at, key=f"sslc_{sslc.pk}_late", now=now)
    if not any(phase.amount_minor for phase in phases):
        subscriptions.cancel(schedule.stripe_subscription_id, key=f"sslc_{sslc.pk}_end")


def finish(sslc: Sslc, *, now: datetime) -> None:
    """The period is over: what ends has ended. What only became smaller moves on when its renewal is paid."""
    with account_lock(sslc.account_id):
        live = list(Ope.objects.filter(account=sslc.account_id, deleted_date__isnull=True))
        ended = [ope for ope in live if ope.pk in sslc.ope_ids and ope.scheduled and ope.scheduled.rank == 0]
        zones = {ope.object_id for ope in ended if ope.object_kind == "zone"}
        removed = set(Zone.objects.filter(pk__in=zones, deleted_at__isnull=False).values_list("pk", flat=True))
        for ope in ended:
            _end(ope, now=now, is_removed=ope.object_id in removed)
        save_phases(ended)
        remain = [ope for ope in live if ope.deleted_date is None]
        clock_id = sslc.schedule.stripe_subscription_id if sslc.schedule else ""
        if sslc.schedule and not any(ope.license_source_id.startswith(f"{clock_id}:") for ope in remain):
            end_schedule(sslc.schedule.pk, at=sslc.applies_at)
        fact = entitle(sslc.account_id, remain, now=now)
        leases.release(sslc, ended_at=now)
        over = scheduled_fact("subscription.ended", sslc, actor="system:billing")
        journal.emit(over, *([fact] if fact else []), at=now)


def _end(ope: Ope, *, now: datetime, is_removed: bool) -> None:
    """A tier falls back to the free one, unless its zone is removed; a component or add-on is gone."""
    remains = ope.scheduled
    assert remains is not None
    if isinstance(remains.value, str) and remains.value and not is_removed:
        ope.value_phases, ope.license_source_id = [remains.to_json()], FREE_LICENSE
    else:
        ope.deleted_date = now
