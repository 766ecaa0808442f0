"""
How fast the brain's consequences may run: a kill switch and a limit per hour for each kind. Sole writer of brakes.

What is stopped is not lost: it stays written down, and goes on where it was when the brake is off.
"""

from datetime import datetime, timedelta

from django.db import transaction

from accounts import journal
from config import wake

from .consequence_kinds import KINDS, Consequence
from .facts import DunningStatus
from .models.actions import DunningAction, DunningBrake
from .models.conclusions import SubsDunning

HOUR = timedelta(hours=1)
# While something is stopped by hand nobody can say until when: it is looked at again so soon.
STOPPED_FOR = timedelta(minutes=5)


class BrakeRefused(Exception):
    """A brake can't be set in this way; the message says why."""

    code = "brake_refused"


def set_brake(
    kind: Consequence, *, is_stopped: bool, limit_per_hour: int | None, actor: str, reason: str = "", now: datetime
) -> None:
    """
    Stop one kind of consequence, limit it, or (neither) let it run freely; one that waited goes on at once.

    :raises BrakeRefused: a limit below one an hour is the kill switch's business.
    """
    if limit_per_hour is not None and limit_per_hour < 1:
        raise BrakeRefused("At least one an hour. To have none, stop it.")
    after = {"act": kind.value, "is_stopped": is_stopped, "limit_per_hour": limit_per_hour or 0}
    with transaction.atomic():
        if is_stopped or limit_per_hour:
            DunningBrake.objects.update_or_create(
                kind=kind.value,
                defaults={
                    "is_stopped": is_stopped,
                    "limit_per_hour": limit_per_hour,
                    "actor": actor,
                    "changed_at": now,
                },
            )
        else:
            DunningBrake.objects.filter(kind=kind.value).delete()
        if KINDS[kind].is_outside:
            # Those that the old limit put off; one that failed waits for its own next try.
            DunningAction.objects.filter(kind=kind.value, done_at__isnull=True, attempts=0, next_at__gt=now).update(
                next_at=now
            )
        journal.emit(journal.Fact("dunning.brake_set", None, actor, reason=reason, after=after), at=now)
        wake.wake("dunning.carry_out")


def held_until(kind: Consequence, *, now: datetime) -> datetime | None:
    """
    Return when one more of this kind may be tried, None if it may be now. Up to three statements.

    A limit counts what was done in the last hour; workers that ask at the same moment may each do one more.
    """
    brake = DunningBrake.objects.filter(kind=kind.value).first()
    if brake is None:
        return None
    if brake.is_stopped:
        return now + STOPPED_FOR
    return _full_until(kind, brake.limit_per_hour, now) if brake.limit_per_hour else None


def _full_until(kind: Consequence, limit: int, now: datetime) -> datetime | None:
    """When the oldest that still counts is an hour old, if `limit` of them were done in the last hour."""
    since = now - HOUR
    if kind is Consequence.RESTRICT:
        done = SubsDunning.objects.filter(status=DunningStatus.BAD_DEBT.value, decided_at__gt=since)
        latest = done.order_by("-decided_at").values_list("decided_at", flat=True)[limit - 1 : limit]
        return latest[0] + HOUR if latest else None
    actions = DunningAction.objects.filter(kind=kind.value, done_at__gt=since, refused_code="")
    nth = actions.order_by("-done_at")[limit - 1 : limit]
    return nth[0].done_at + HOUR if nth and nth[0].done_at else None
