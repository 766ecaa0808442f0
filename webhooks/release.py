"""When a customer becomes known, what waited for that goes on. The journal's consumer `pipe`."""

from datetime import datetime

from accounts.journal import deliver
from accounts.journal_kinds import Consumer
from accounts.models import Customer, JournalDelivery, SubsStuckEvent

from .replay import events_of, replay, waiting


def deliver_due(*, now: datetime, limit: int = 100) -> int:
    """Act on the journal entries that are due to the pipe, and return how many were dealt with."""

    def release(delivery: JournalDelivery) -> None:
        customer_ids = Customer.objects.filter(account_id=delivery.account_id).values("stripe_customer_id")
        items = waiting().filter(
            reason=SubsStuckEvent.Reason.UNKNOWN_CUSTOMER, customer_reference__in=customer_ids
        ).exclude(customer_reference="")  # fmt: skip
        replay(events_of(items), now=now)

    return deliver(Consumer.PIPE, release, now=now, limit=limit)
