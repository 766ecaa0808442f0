"""What waits for the end of the period: written down, taken back, told to Stripe, made true. Sole writer of SSLCs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from accounts import claim as leases
from accounts import journal
from accounts.lock import AccountBusy, account_lock, holds_lock
from accounts.sweep import sweep

from ..cfstripe import subscriptions
from ..cfstripe.errors import StripeUnavailable
from ..cfstripe.shapes import SubscriptionFacts, read_subscription
from ..entitle import entitle
from ..invoicing.clock import end_schedule
from ..models.invoices import BillingSchedule
from ..models.objectproducts import Ope
from ..models.scheduled import Sslc
from ..objectproducts.phases import Phase
from .change_set import ElementChange
from .items import Item, without_payment
from .licences import FREE_LICENSE
from .save import save_phases
from .wish import CORE_FAMILY

TOLD_BEFORE_END = timedelta(hours=6)
LAST_CALL = timedelta(minutes=10)
TRY_AGAIN = timedelta(minutes=10)


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
    return [_fact("change.scheduled", sslc, actor=actor) for sslc in opened]


def _end_replaced(account_id: str, elements: Sequence[ElementChange], *, now: datetime) -> None:
    """Let go of what waits for these subscriptions; of components that do not change themselves, too."""
    subscription_ids = {element.subscription_id for element in elements}
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
        if taken.applied_at is not None:
            # Whatever happens while Stripe is told, somebody goes on from here.
            leases.renew(taken, taken_back_by=actor, next_at=now)
        _take_back(taken, actor=actor, now=now)
    except Exception:
        leases.give_back(taken)
        raise


def _take_back(sslc: Sslc, *, actor: str, now: datetime) -> None:
    subscription = _tell_stripe(sslc, without=True) if sslc.applied_at is not None else None
    with account_lock(sslc.account_id):
        opes = list(Ope.objects.filter(pk__in=sslc.ope_ids))
        for ope in opes:
            ope.value_phases = ope.value_phases[:1]
            _note_item(ope, subscription, ope.current)
        save_phases(opes)
        leases.release(sslc, ended_at=now, was_taken_back=True)
        journal.emit(_fact("change.taken_back", sslc, actor=actor), at=now)


def apply_due(*, now: datetime, limit: int = 20) -> int:
    """
    Take up to `limit` scheduled changes on that are due, and return how many were looked at.

    Six hours before the end Stripe's items change, without proration; at the end our own rows do.
    """

    def act(sslc: Sslc) -> None:
        if sslc.applied_at is None:
            _apply(sslc, now=now)
        elif sslc.taken_back_by and now < sslc.applies_at:
            _take_back(sslc, actor=sslc.taken_back_by, now=now)
        else:
            finish(sslc, now=now)

    due = leases.claim(Sslc, "ended_at IS NULL AND schedule_id IS NOT NULL", now=now, limit=limit)
    return sweep(due, act, now=now, passing=(StripeUnavailable,), wait=lambda _attempts: TRY_AGAIN)


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
    applies_at = max(ope.current.ends_at or now for ope in opes)
    return Sslc(
        account_id=opes[0].account_id,
        schedule=schedules[_stripe_subscription(billed)] if billed else None,
        subscription_id=subscription_id,
        ope_ids=[ope.pk for ope in opes],
        actor=actor,
        requested_at=now,
        applies_at=applies_at,
        next_at=max(now, applies_at - TOLD_BEFORE_END) if billed else applies_at,
    )


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


def _apply(sslc: Sslc, *, now: datetime) -> None:
    """Tell Stripe, and note it with the items that bill what remains; our phases stay until the period ends."""
    subscription = _tell_stripe(sslc, without=False)
    with account_lock(sslc.account_id):
        opes = list(Ope.objects.filter(pk__in=sslc.ope_ids))
        for ope in opes:
            _note_item(ope, subscription, ope.scheduled)
        save_phases(opes)
        leases.release(sslc, applied_at=now, next_at=sslc.applies_at)
        journal.emit(_fact("change.applied", sslc, actor="system:billing"), at=now)


def _note_item(ope: Ope, subscription: SubscriptionFacts | None, phase: Phase | None) -> None:
    """Write which item bills the OPE at this phase's price; what ends keeps the item that billed it last."""
    item = subscription.item_of_price(phase.stripe_price_id) if subscription and phase else None
    if subscription is not None and item is not None:
        ope.license_source_id = f"{subscription.id}:{item.id}"


def finish(sslc: Sslc, *, now: datetime) -> None:
    """The period is over: what ends has ended. What only became smaller moves on when its renewal is paid."""
    with account_lock(sslc.account_id):
        live = list(Ope.objects.filter(account=sslc.account_id, deleted_date__isnull=True))
        ended = [ope for ope in live if ope.pk in sslc.ope_ids and ope.scheduled and ope.scheduled.rank == 0]
        for ope in ended:
            _end(ope, now=now)
        save_phases(ended)
        remain = [ope for ope in live if ope.deleted_date is None]
        clock_id = sslc.schedule.stripe_subscription_id if sslc.schedule else ""
        if sslc.schedule and not any(ope.license_source_id.startswith(f"{clock_id}:") for ope in remain):
            end_schedule(sslc.schedule.pk, at=sslc.applies_at)
        fact = entitle(sslc.account_id, remain, now=now)
        leases.release(sslc, ended_at=now)
        over = _fact("subscription.ended", sslc, actor="system:billing")
        journal.emit(over, *([fact] if fact else []), at=now)


def _end(ope: Ope, *, now: datetime) -> None:
    """A tier falls back to the free one; a component or add-on is gone."""
    remains = ope.scheduled
    assert remains is not None
    if isinstance(remains.value, str) and remains.value:
        ope.value_phases, ope.license_source_id = [remains.to_json()], FREE_LICENSE
    else:
        ope.deleted_date = now


def _tell_stripe(sslc: Sslc, *, without: bool) -> SubscriptionFacts:
    """
    Make Stripe's items those that the next period needs, with this change or `without` it, and return the subscription.

    No proration: what was paid stays paid. If nothing remains the subscription ends with its period instead.
    """
    assert sslc.schedule is not None, "nobody bills a trial"
    stripe_id = sslc.schedule.stripe_subscription_id
    told = Sslc.objects.filter(schedule=sslc.schedule, ended_at__isnull=True, applied_at__isnull=False)
    known = {ope_id for each in told.exclude(pk=sslc.pk) for ope_id in each.ope_ids}
    opes = Ope.objects.filter(
        account=sslc.account_id, license_source_id__startswith=f"{stripe_id}:", deleted_date__isnull=True
    )
    next_phases = [_next(ope, told=known | (set() if without else set(sslc.ope_ids))) for ope in opes]
    current = read_subscription(subscriptions.retrieve(stripe_id))
    before = {item.price_id: Item(item.id, item.price_id, 0, item.quantity) for item in current.items}
    after: dict[str, Item] = {}
    for phase in next_phases:
        price = phase.stripe_price_id
        if price and phase.billed_quantity:
            quantity = phase.billed_quantity + (after[price].quantity if price in after else 0)
            after[price] = Item(before[price].id if price in before else "", price, 0, quantity)
    params = without_payment(before, after)
    # Asked again after a death Stripe may have done it: then it is another request, which must have another key.
    digest = sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:8]
    key = f"sslc_{sslc.pk}_{'undo' if without else 'apply'}_{sslc.attempts}_{digest}"
    raw = subscriptions.update(stripe_id, params, key=key)
    return read_subscription(raw)


def _next(ope: Ope, *, told: set[str]) -> Phase:
    """What an OPE is billed for from the next period, as far as Stripe is to know."""
    return ope.scheduled if ope.pk in told and ope.scheduled else ope.current


def _fact(kind: str, sslc: Sslc, *, actor: str) -> journal.Fact:
    after = {"subscription_id": sslc.subscription_id, "opes": sslc.ope_ids, "applies_at": sslc.applies_at}
    return journal.Fact(kind, sslc.account_id, actor, cause=sslc.pk, after=after)
