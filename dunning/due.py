"""Accounts that time alone may have changed, and everybody once a night: the brain looks at them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from accounts.claim import claim, release
from accounts.models import SubsAccount
from accounts.sweep import sweep
from billing.end_unpaid import ChangeUnderWay

from .deliveries import LOOK_AGAIN
from .models.conclusions import DunningDue, DunningNight
from .recompute import Examined, examine, recompute
from .requests import look_at_each

BATCH = 1000
A_NIGHT = timedelta(days=1)


def recompute_due(*, now: datetime, limit: int = 100) -> int:
    """Look at up to `limit` accounts whose time has come, and return how many there were."""

    def act(row: DunningDue) -> None:
        recompute(row.pk, cause=row.cause, now=now)

    due = claim(DunningDue, now=now, limit=limit)
    return sweep(due, act, now=now, passing=(ChangeUnderWay,), wait=lambda _attempts: LOOK_AGAIN)


def examine_everybody(*, now: datetime, after: str = "", account_id: str = "") -> Iterator[list[Examined]]:
    """Yield every account in batches, in order of id, with what should change; or one alone. Changes nothing."""
    while ids := [account_id] if account_id else _next(after):
        yield examine(ids, now=now)
        if account_id:
            return
        after = ids[-1]


def sweep_everybody(*, now: datetime) -> int:
    """
    Look at everybody, once a night, a batch at a call; return how many were looked at. It finds what has drifted.

    Where it stands is a row: stopped anywhere, it goes on from there. Who must change is made due, each by itself.
    """
    DunningNight.objects.get_or_create(pk=1, defaults={"next_at": now})
    looked = 0
    for row in claim(DunningNight, now=now, limit=1):
        ids = _next(row.after)
        drifted = [examined.facts.account_id for examined in examine(ids, now=now) if examined.needed]
        look_at_each(drifted, at=now, cause="night")
        looked = len(ids)
        if ids:
            release(row, after=ids[-1])
        else:
            release(row, after="", next_at=row.next_at + A_NIGHT * (1 + (now - row.next_at) // A_NIGHT))
    return looked


def _next(after: str) -> list[str]:
    ids = SubsAccount.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)
    return list(ids[:BATCH])
