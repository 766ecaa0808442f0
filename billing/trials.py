"""A trial ends: what it becomes is bought, off-session; what can't be bought falls back to what is free."""

from dataclasses import replace
from datetime import datetime

from accounts import claim as leases
from accounts import journal
from accounts.lock import account_lock
from accounts.notices.tell import tell
from accounts.sweep import sweep

from .buy_cart import buy_cart
from .catalog.lookup import current_catalog
from .catalog.values import Catalog
from .cfstripe.errors import StripeUnavailable
from .changes_calculator.request import (
    ChangeRefused,
    ChangeRequest,
    ComponentValue,
    ObjectKind,
    Origin,
    PaymentDeclined,
    PaymentUnavailable,
    Want,
)
from .changes_calculator.save import save_phases
from .changes_calculator.scheduled import finish
from .models.objectproducts import Ope
from .models.scheduled import Sslc
from .objectproducts.phases import Phase


def end_trials(*, now: datetime, limit: int = 20) -> int:
    """Deal with up to `limit` trials that are over, and return how many were looked at."""
    due = leases.claim(Sslc, "ended_at IS NULL AND schedule_id IS NULL", now=now, limit=limit)
    return sweep(due, lambda trial: _end(trial, now=now), now=now, passing=(PaymentUnavailable, StripeUnavailable))


def _end(trial: Sslc, *, now: datetime) -> None:
    """Buy what the trial becomes, once however often this is tried; or let it end."""
    opes = list(Ope.objects.filter(pk__in=trial.ope_ids, deleted_date__isnull=True))
    chosen = [ope for ope in opes if ope.scheduled and ope.scheduled.rank > 0]
    if not chosen:
        finish(trial, now=now)
        return
    try:
        buy_cart(_purchase(trial, chosen, now), key=f"trial:{trial.pk}")
    except (ChangeRefused, PaymentDeclined) as refusal:
        _fall_back(trial, opes, code=refusal.code, now=now)
        return
    leases.release(trial, ended_at=now)


def _purchase(trial: Sslc, chosen: list[Ope], now: datetime) -> ChangeRequest:
    tier = next(ope for ope in chosen if ope.kind == Ope.Kind.ENUM)
    later = tier.scheduled
    assert later is not None
    counts = [ope for ope in chosen if ope.kind == Ope.Kind.SUM]
    want = Want(
        object_kind=ObjectKind(tier.object_kind),
        object_id=tier.object_id,
        plan_name=later.rate_plan_id,
        interval_name=later.interval,
        components=tuple(ComponentValue(ope.product, int(ope.current.value)) for ope in counts),
    )
    return ChangeRequest(
        account_id=trial.account_id,
        wants=(want,),
        origin=Origin.SYSTEM,
        actor="system:billing",
        on_session=False,
        requested_at=now,
    )


def _fall_back(trial: Sslc, opes: list[Ope], *, code: str, now: datetime) -> None:
    """Nobody paid: end it with what is free, and tell the customer."""
    catalog = current_catalog()
    chosen = [ope.scheduled for ope in opes if ope.scheduled and ope.scheduled.rank > 0]
    facts = {
        "what": catalog.plans[chosen[0].rate_plan_id].public_name,
        "due_minor": sum(phase.amount_minor for phase in chosen),
        "currency": chosen[0].currency,
        "ends_at": trial.applies_at.isoformat(),
    }
    with account_lock(trial.account_id):
        for ope in opes:
            ope.value_phases = [ope.value_phases[0], _free(ope, catalog, now).to_json()]
        save_phases(opes)
        tell(trial.account_id, "trial_end_unpaid", about=trial.pk, facts=facts, now=now)
        after = {"subscription_id": trial.subscription_id, "opes": trial.ope_ids, "code": code}
        journal.emit(
            journal.Fact("trial.not_paid", trial.account_id, "system:billing", cause=trial.pk, after=after), at=now
        )
        finish(trial, now=now)


def _free(ope: Ope, catalog: Catalog, now: datetime) -> Phase:
    """What a tier falls back to, the empty value for anything else."""
    ended = replace(ope.current, rank=0, starts_at=now, ends_at=None, billed_quantity=0, value=0)
    plan = catalog.plans[ope.current.rate_plan_id]
    free = next((tier for tier in catalog.tiers(plan.family_id) if tier.is_free), None)
    if ope.kind != Ope.Kind.ENUM or plan.kind != "enum" or free is None:
        return ended
    price = next(iter(free.prices.values()))
    return replace(ended, value=free.id, rate_plan_id=free.id, price_id=price.id, billed_quantity=1)
