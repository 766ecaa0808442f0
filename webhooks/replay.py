"""Have events taken up again: one, a group, or those that wait as stuck."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Min, QuerySet

from accounts import journal
from accounts.models import SubsStuckEvent
from accounts.stuck import release_stuck
from config import wake

from .models import StripeEvent


def replay(events: QuerySet[StripeEvent], *, now: datetime) -> int:
    """
    Make those of `events` that are done with, stuck or processed, due again, and return how many.

    One whose payload is pruned is let be. Safe at any time: an event is applied from the newest state of its object, so
    a second time changes nothing.
    """
    with transaction.atomic():
        done = dict(events.filter(processed_at__isnull=False).exclude(payload={}).values_list("pk", "type"))
        StripeEvent.objects.filter(pk__in=done, processed_at__isnull=False).update(
            processed_at=None, outcome="", attempts=0, next_at=now, lease_until=None
        )
        items = list(waiting().filter(external_id__in=done))
        release_stuck(items, now=now)
        others = done.keys() - {item.external_id for item in items}
        journal.emit(*(_replayed(event_id, done[event_id]) for event_id in sorted(others)), at=now)
    wake.wake("webhooks.forward")
    return len(done)


def _replayed(event_id: str, event_type: str) -> journal.Fact:
    return journal.Fact(
        "stripe.event_replayed", None, actor="system:pipe", cause=f"stripe:{event_id}", after={"type": event_type}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What stuck events have in common; what is empty is any."""

    reason: str = ""
    kind: str = ""
    signature: str = ""
    customer: str = ""

    def items(self) -> QuerySet[SubsStuckEvent]:
        """Return those that wait."""
        columns = {
            "reason": self.reason,
            "kind": self.kind,
            "signature": self.signature,
            "customer_reference": self.customer,
        }
        return waiting().filter(**{column: value for column, value in columns.items() if value})

    def counts(self, *, limit: int = 1000) -> list[dict[str, Any]]:
        """Return how many there are of each reason, kind and signature, and the oldest one's time; the most first."""
        groups = (
            self.items().values("reason", "kind", "signature").annotate(count=Count("pk"), oldest_at=Min("stuck_at"))
        )
        return [dict(group) for group in groups.order_by("-count", "kind")[:limit]]


def waiting() -> QuerySet[SubsStuckEvent]:
    """Return Stripe's events that wait as stuck."""
    return SubsStuckEvent.objects.filter(source=SubsStuckEvent.Source.STRIPE, resolved_at__isnull=True)


def events_of(items: QuerySet[SubsStuckEvent]) -> QuerySet[StripeEvent]:
    """Return the events that these stuck items are about."""
    return StripeEvent.objects.filter(pk__in=items.values("external_id"))
