"""A clock that Stripe has closed for this period is opened once more, so that something can still grow on it."""

from datetime import datetime

from django.db.models import Q

from accounts import claim as leases
from accounts import journal
from accounts.lock import AccountBusy, account_lock

from ..models.objectproducts import Ope
from ..models.scheduled import Sslc
from .next_period import note_item, tell_stripe
from .save import save_phases
from .scheduled import scheduled_fact
from .snapshot import LAST_CALL


def reopen(schedule_id: str, *, now: datetime) -> None:
    """
    Take back at Stripe what it was told of this clock's next period; it stays scheduled and is told again later.

    Stripe bills what a customer has, then, while their change is made and paid. Told again: LAST_CALL before the
    end, or when the change is made. Not in a transaction; safe to repeat.

    :raises AccountBusy: it is being told this moment.
    :raises StripeUnavailable: no answer; nothing of the change has begun.
    """
    told = Sslc.objects.filter(Q(applied_at__isnull=False) | Q(is_telling=True), schedule=schedule_id)
    for pk in told.filter(ended_at__isnull=True).values_list("pk", flat=True):
        sslc = leases.take(Sslc, pk)
        if sslc is None:
            raise AccountBusy("A scheduled change is being made right now. Ask again in a moment.")
        _open(sslc, now=now)


def _open(sslc: Sslc, *, now: datetime) -> None:
    if sslc.ended_at is not None or not (sslc.applied_at or sslc.is_telling):
        leases.give_back(sslc)
        return
    with account_lock(sslc.account_id):
        leases.renew(sslc, is_telling=True)
    subscription = tell_stripe(sslc, without=True, now=now)
    with account_lock(sslc.account_id):
        opes = list(Ope.objects.filter(pk__in=sslc.ope_ids))
        for ope in opes:
            note_item(ope, subscription, ope.current)
        save_phases(opes)
        leases.release(sslc, applied_at=None, is_telling=False, next_at=max(now, sslc.applies_at - LAST_CALL))
        journal.emit(scheduled_fact("change.reopened", sslc, actor="system:billing"), at=now)
