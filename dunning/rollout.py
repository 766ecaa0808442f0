"""For how many accounts the brain acts; for the others it decides, and only keeps the decision."""

from datetime import datetime

from django.db import transaction

from accounts import journal

from .models.actions import DunningRollout


def is_rolled_out(account_id: str, percent: int) -> bool:
    """Return whether an account is among the first so many percent: always the same ones, and more with each step."""
    return int(account_id[:8], 16) % 100 < percent


def roll_out(*, percent: int, is_observe_only: bool, actor: str, now: datetime) -> DunningRollout:
    """
    Have the brain act for so many percent of all accounts, or for none and only look. Safe to repeat.

    :raises ValueError: not between 0 and 100.
    """
    if not 0 <= percent <= 100:
        raise ValueError("Say a percentage between 0 and 100.")
    with transaction.atomic():
        row, _ = DunningRollout.objects.update_or_create(
            pk=1,
            defaults={"percent": percent, "is_observe_only": is_observe_only, "actor": actor, "changed_at": now},
        )
        after = {"percent": percent, "is_observe_only": is_observe_only}
        journal.emit(journal.Fact("dunning.rolled_out", None, actor, after=after), at=now)
    return row
