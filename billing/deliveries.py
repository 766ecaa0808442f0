"""What the journal tells billing: a new account needs its customer at Stripe, a renamed one another name there."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from accounts import journal
from accounts.journal_kinds import Consumer
from accounts.models import JournalDelivery, JournalEntry

from .cfstripe.errors import StripeUnavailable
from .customers import ensure_customer, rename_customer


def deliver_due(*, now: datetime) -> int:
    """Act on the entries that wait for billing, oldest first, and return how many were dealt with."""
    return journal.deliver(Consumer.BILLING, partial(_act, now=now), now=now, passing=(StripeUnavailable,))


def _act(delivery: JournalDelivery, *, now: datetime) -> None:
    ACTS[delivery.entry.kind](delivery.entry, now)


def _make_customer(entry: JournalEntry, now: datetime) -> None:
    assert entry.account_id is not None, "an account's creation is an account's entry"
    ensure_customer(entry.account_id, now=now)


def _rename_customer(entry: JournalEntry, now: datetime) -> None:
    assert entry.account_id is not None, "an account's name is an account's entry"
    # The name of today, whichever of several is told first; so each has a key of its own.
    rename_customer(entry.account_id, key=f"renamed_{entry.pk}", now=now)


# What each kind that names billing as its consumer asks of it.
ACTS: dict[str, Callable[[JournalEntry, datetime], None]] = {
    "account.created": _make_customer,
    "account.renamed": _rename_customer,
}  # fmt: skip
