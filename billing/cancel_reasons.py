"""Keep what customers say about why they leave."""

from collections.abc import Sequence
from datetime import datetime

from accounts import journal
from accounts.lock import account_lock

from .models.cancel_reason import CancelReason


def give_reason(
    account_id: str, subscription_id: str, *, reasons: Sequence[str], comment: str, actor: str, now: datetime
) -> CancelReason:
    """Write down why a subscription ends, and return it; saying the same as the last time is saying it once."""
    with account_lock(account_id):
        newest = reason_of(account_id, subscription_id)
        if newest is not None and (newest.reasons, newest.comment) == (list(reasons), comment):
            return newest
        said = CancelReason.objects.create(
            account_id=account_id,
            subscription_id=subscription_id,
            reasons=list(reasons),
            comment=comment,
            actor=actor,
            created_at=now,
        )
        # The comment stays out of the journal: people write about themselves, and the journal forgets nothing.
        after = {"subscription_id": subscription_id, "reasons": list(reasons)}
        journal.emit(journal.Fact("cancel_reason.given", account_id, actor, after=after), at=now)
        return said


def reason_of(account_id: str, subscription_id: str) -> CancelReason | None:
    """Return what was said last about this subscription of the account."""
    said = CancelReason.objects.filter(account=account_id, subscription_id=subscription_id)
    return said.order_by("-created_at", "pk").first()
