"""What the journal tells the brain: a fact about debt has changed, so it looks at that account."""

from collections import defaultdict
from datetime import datetime, timedelta

from accounts.claim import LeaseLost, claim, give_back
from accounts.journal_kinds import Consumer
from accounts.lock import account_lock
from accounts.models import JournalDelivery, JournalEntry
from accounts.sweep import sweep
from billing.end_unpaid import ChangeUnderWay

from .recompute import recompute

# What is to end is being changed: that ends within moments, or the customer is at his bank.
LOOK_AGAIN = timedelta(minutes=1)


def deliver_due(*, now: datetime, limit: int = 100) -> int:
    """
    Look at each account of which something is told, once for all that is told of it; return how many entries that were.
    """
    told = claim(JournalDelivery, "consumer = %s", (Consumer.DUNNING.value,), now=now, limit=limit)
    by_account: dict[str | None, list[JournalDelivery]] = defaultdict(list)
    for delivery in told:
        by_account[delivery.account_id].append(delivery)
    for account_id, deliveries in by_account.items():
        assert account_id is not None, "a fact about debt is an account's"
        _look_at(account_id, deliveries, now=now)
    return len(told)


def _look_at(account_id: str, deliveries: list[JournalDelivery], *, now: datetime) -> None:
    is_done = False

    def act(latest: JournalDelivery) -> None:
        nonlocal is_done
        entry = JournalEntry.objects.only("kind", "sequence").get(pk=latest.entry_id)
        with account_lock(account_id):
            recompute(account_id, cause=f"{entry.kind}#{entry.sequence}", now=now)
            mine = JournalDelivery.objects.filter(
                pk__in=[each.pk for each in deliveries], lease_token=latest.lease_token
            )
            if mine.delete()[0] < len(deliveries):
                raise LeaseLost(f"deliveries of {account_id}")
        is_done = True

    sweep(deliveries[-1:], act, now=now, passing=(ChangeUnderWay,), wait=lambda _attempts: LOOK_AGAIN)
    if not is_done:
        for delivery in deliveries[:-1]:
            give_back(delivery)
