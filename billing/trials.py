"""A trial ends: what it becomes is bought, off-session; what can't be bought falls back to what is free."""

from datetime import datetime

from accounts import claim as leases
from accounts.sweep import sweep

from .buy_cart import buy_cart
from .cfstripe.errors import StripeUnavailable
from .changes_calculator.apply_scheduled import finish
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
from .fall_back import fall_back
from .models.objectproducts import Ope
from .models.scheduled import Sslc


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
        fall_back(trial, opes, notice="trial_end_unpaid", kind="trial.not_paid", code=refusal.code, now=now)
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
