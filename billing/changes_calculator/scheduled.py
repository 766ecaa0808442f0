"""What waits for the end of the period: written down, replaced, taken back. `apply_scheduled.py` makes it true."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from accounts import claim as leases
from accounts import journal
from accounts.lock import AccountBusy, account_lock, holds_lock

from ..models.invoices import BillingSchedule
from ..models.objectproducts import Ope
from ..models.scheduled import Sslc
from .change_set import ElementChange
from .next_period import note_item, tell_stripe
from .save import save_phases
from .snapshot import LAST_CALL
from .wish import CORE_FAMILY

TOLD_BEFORE_END = timedelta(hours=6)


class NothingScheduled(Exception):
    """There is nothing to take back."""

    code = "nothing_scheduled"


class TooLate(Exception):
    """The period ends in a moment: what was scheduled is being made."""

    code = "too_late_to_take_back"


def save_scheduled(
    account_id: str,
    elements: Sequence[ElementChange],
    *,
    actor: str,
    now: datetime,
    replacing: Sequence[ElementChange] = (),
) -> list[journal.Fact]:
    """
    Write what these OPEs become at the end of their period, one SSLC per subscription; return the facts to journal.

    What waited for subscriptions of these elements, or of those `replacing` it now, waits no longer: Validate lets
    only such changes through as may take its place. Nothing is charged and nothing told to Stripe yet. In the
    caller's transaction under the account's lock.
    """
    assert holds_lock(account_id)
    _end_replaced(account_id, [*replacing, *elements], now=now)
    if not elements:
        return []
    opes = Ope.objects.in_bulk([element.ope_id for element in elements])
    for element in elements:
        assert element.after is not None, "what ends becomes the empty value"
        ope = opes[element.ope_id]
        ope.value_phases = [ope.value_phases[0], element.after.to_json()]
    save_phases(list(opes.values()))
    groups: dict[str, list[Ope]] = {}
    for element in elements:
        groups.setdefault(element.subscription_id, []).append(opes[element.ope_id])
    schedules = _clocks(opes.values())
    opened = [_opened(subscription_id, group, schedules, actor, now) for subscription_id, group in groups.items()]
    _note_what_hangs_on_what(opened, opes)
    Sslc.objects.bulk_create(sorted(opened, key=lambda sslc: sslc.ends_with is not None))
    return [scheduled_fact("change.scheduled", sslc, actor=actor) for sslc in opened]


def _end_replaced(account_id: str, elements: Sequence[ElementChange], *, now: datetime) -> None:
    """Let go of what waits for these subscriptions; of components that do not change themselves, too."""
    subscription_ids = {element.subscription_id for element in elements if element.replaces_scheduled}
    if not subscription_ids:
        return
    waiting = Sslc.objects.filter(account=account_id, subscription_id__in=subscription_ids, ended_at__isnull=True)
    changed = {element.ope_id for element in elements}
    for sslc in waiting:
        others = list(Ope.objects.filter(pk__in=set(sslc.ope_ids) - changed, deleted_date__isnull=True))
        for ope in others:
            ope.value_phases = ope.value_phases[:1]
        save_phases(others)
        Sslc.objects.filter(pk=sslc.pk).update(ended_at=now)


def take_back(account_id: str, subscription_id: str, *, actor: str, now: datetime) -> None:
    """
    Undo a scheduled change of one subscription. No call to Stripe before it was told, one after.

    :raises NothingScheduled: there is none.
    :raises TooLate: the period ends within LAST_CALL.
    :raises AccountBusy: it is being made this moment.
    """
    sslc = Sslc.objects.filter(account=account_id, subscription_id=subscription_id, ended_at__isnull=True).first()
    if sslc is None:
        raise NothingScheduled("No change of this subscription is scheduled.")
    if sslc.schedule_id is None:
        raise NothingScheduled("A trial ends by itself. Buy the plan to keep it.")
    if now > sslc.applies_at - LAST_CALL:
        raise TooLate("The period ends within minutes: the change is being made. Buy again when it is done.")
    taken = leases.take(Sslc, sslc.pk)
    if taken is None:
        raise AccountBusy("This change is being made right now. Try again in a moment.")
    try:
        if taken.applied_at is not None or taken.is_telling:
            # Whatever happens while Stripe is told, somebody goes on from here.
            leases.renew(taken, taken_back_by=actor, next_at=now)
        undo(taken, actor=actor, now=now)
    except Exception:
        leases.give_back(taken)
        raise


def undo(sslc: Sslc, *, actor: str, now: datetime) -> None:
    """Undo a leased scheduled change, at Stripe first if it was told of it. Safe to repeat."""
    is_told = sslc.applied_at is not None or sslc.is_telling
    subscription = tell_stripe(sslc, without=True, now=now) if is_told else None
    with account_lock(sslc.account_id):
        opes = list(Ope.objects.filter(pk__in=sslc.ope_ids))
        for ope in opes:
            ope.value_phases = ope.value_phases[:1]
            note_item(ope, subscription, ope.current)
        save_phases(opes)
        leases.release(sslc, ended_at=now, was_taken_back=True, is_telling=False)
        journal.emit(scheduled_fact("change.taken_back", sslc, actor=actor), at=now)


def _clocks(opes: Iterable[Ope]) -> dict[str, BillingSchedule]:
    """Return the clocks that bill any of these, by subscription. A trial is on nobody's clock."""
    ids = {_stripe_subscription(ope) for ope in opes} - {""}
    return {
        clock.stripe_subscription_id: clock for clock in BillingSchedule.objects.filter(stripe_subscription_id__in=ids)
    }


def _stripe_subscription(ope: Ope) -> str:
    return ope.license_source_id.partition(":")[0] if ope.license_source_id.startswith("sub_") else ""


def _opened(
    subscription_id: str, opes: list[Ope], schedules: Mapping[str, BillingSchedule], actor: str, now: datetime
) -> Sslc:
    # A plan that costs nothing by itself is nobody's item; what hangs on it is.
    billed = next((ope for ope in opes if _stripe_subscription(ope)), None)
    schedule = schedules[_stripe_subscription(billed)] if billed else None
    applies_at = max(ope.current.ends_at or now for ope in opes)
    return Sslc(
        account_id=opes[0].account_id,
        schedule=schedule,
        is_switch=any(_moves(ope, schedule) for ope in opes),
        subscription_id=subscription_id,
        ope_ids=[ope.pk for ope in opes],
        actor=actor,
        requested_at=now,
        applies_at=applies_at,
        next_at=max(now, applies_at - TOLD_BEFORE_END) if billed else applies_at,
    )


def _moves(ope: Ope, schedule: BillingSchedule | None) -> bool:
    """Whether another clock than the one that bills it now is to bill it."""
    later = ope.scheduled
    return schedule is not None and later is not None and later.rank > 0 and later.interval != schedule.interval


def _note_what_hangs_on_what(opened: Sequence[Sslc], opes: Mapping[str, Ope]) -> None:
    """Note which add-ons end because their zone's plan does: whoever takes that back keeps them."""
    cores = {}
    for sslc in opened:
        for ope in (opes[ope_id] for ope_id in sslc.ope_ids):
            if ope.product == CORE_FAMILY and ope.scheduled is not None and ope.scheduled.rank == 0:
                cores[ope.object_id] = sslc
    for sslc in opened:
        core = cores.get(opes[sslc.ope_ids[0]].object_id)
        if core is not None and core is not sslc:
            sslc.ends_with = core


def scheduled_fact(kind: str, sslc: Sslc, *, actor: str) -> journal.Fact:
    """Return what the journal keeps of a scheduled change."""
    after = {"subscription_id": sslc.subscription_id, "opes": sslc.ope_ids, "applies_at": sslc.applies_at}
    return journal.Fact(kind, sslc.account_id, actor, cause=sslc.pk, after=after)
