"""What the journal tells billing: a new account needs its customer at Stripe."""

from datetime import datetime
from functools import partial

from accounts import journal
from accounts.models import JournalDelivery

from .cfstripe.errors import StripeUnavailable
from .customers import ensure_customer


def deliver_due(*, now: datetime) -> int:
    """Act on the entries that wait for billing, oldest first, and return how many were dealt with."""
    return journal.deliver(journal.Consumer.BILLING, partial(_act, now=now), now=now, passing=(StripeUnavailable,))


def _act(delivery: JournalDelivery, *, now: datetime) -> None:
    assert delivery.account_id is not None, "the kinds that billing hears of are an account's"
    ensure_customer(delivery.account_id, now=now)
