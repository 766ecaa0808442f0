"""The year (or month) is over, and from now on it is paid the other way: bought off-session, or it falls to free."""

from datetime import datetime, timedelta

from accounts import claim as leases
from accounts.sweep import sweep

from .buy_cart import buy_cart
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
from .fall_back import fall_back
from .models.objectproducts import Ope
from .models.scheduled import Sslc

# What passes by itself is waited for; any other refusal ends what was paid before.
PASSING = frozenset({"change_in_flight", "period_closing"})
LOOK_AGAIN = timedelta(minutes=1)


def make_switches(*, now: datetime, limit: int = 20) -> int:
    """Deal with up to `limit` plans whose time to be paid the other way has come, and return how many there were."""
    due = leases.claim(Sslc, "ended_at IS NULL AND is_switch AND applied_at IS NOT NULL", now=now, limit=limit)
    return sweep(due, lambda sslc: _make(sslc, now=now), now=now, passing=(PaymentUnavailable, StripeUnavailable))


def _make(sslc: Sslc, *, now: datetime) -> None:
    """
    Buy, off-session, what this scheduled change makes of a plan on another clock: both in one commit.

    Once however often this is tried. What nobody pays for is free from now on.
    """
    opes = list(Ope.objects.filter(pk__in=sslc.ope_ids, deleted_date__isnull=True))
    try:
        buy_cart(_purchase(sslc, opes, now), key=f"switch:{sslc.pk}")
    except (ChangeRefused, PaymentDeclined) as refusal:
        if refusal.code in PASSING:
            leases.release(sslc, next_at=now + LOOK_AGAIN)
            return
        fall_back(sslc, opes, notice="switch_unpaid", kind="subscription.switch_not_paid", code=refusal.code, now=now)
        return
    leases.release(sslc, ended_at=now)


def _purchase(sslc: Sslc, opes: list[Ope], now: datetime) -> ChangeRequest:
    tier = next(ope for ope in opes if ope.kind == Ope.Kind.ENUM)
    later = tier.scheduled
    assert later is not None, "what is to be bought is scheduled until it is"
    counts = [(ope.product, ope.scheduled) for ope in opes if ope.kind == Ope.Kind.SUM and ope.scheduled]
    want = Want(
        object_kind=ObjectKind(tier.object_kind),
        object_id=tier.object_id,
        plan_name=later.rate_plan_id,
        interval_name=later.interval,
        components=tuple(ComponentValue(name, int(phase.value)) for name, phase in counts if phase.rank > 0),
    )
    return ChangeRequest(
        account_id=sslc.account_id,
        wants=(want,),
        origin=Origin.SYSTEM,
        actor="system:billing",
        on_session=False,
        requested_at=now,
        supersedes=True,
    )
