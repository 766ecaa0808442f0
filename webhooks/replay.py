"""Have events taken up again: one, a group, or those that wait as stuck."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import SubsStuckEvent
from accounts.stuck import release_stuck
from config import wake

from .models import StripeEvent


def replay(events: QuerySet[StripeEvent], *, now: datetime) -> int:
    """
    Make those of `events` that are done with, stuck or processed, due again, and return how many.

    Safe at any time: an event is applied from the newest state of its object, so a second time changes nothing.
    """
    with transaction.atomic():
        ids = list(events.filter(processed_at__isnull=False).values_list("pk", flat=True))
        StripeEvent.objects.filter(pk__in=ids, processed_at__isnull=False).update(
            processed_at=None, outcome="", attempts=0, next_at=now, lease_until=None
        )
        release_stuck(list(waiting().filter(external_id__in=ids)), now=now)
    wake.wake("webhooks.forward")
    return len(ids)


def waiting() -> QuerySet[SubsStuckEvent]:
    """Return Stripe's events that wait as stuck."""
    return SubsStuckEvent.objects.filter(source=SubsStuckEvent.Source.STRIPE, resolved_at__isnull=True)


def events_of(items: QuerySet[SubsStuckEvent]) -> QuerySet[StripeEvent]:
    """Return the events that these stuck items are about."""
    return StripeEvent.objects.filter(pk__in=items.values("external_id"))
