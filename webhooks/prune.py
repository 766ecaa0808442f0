"""What the inbox forgets: the payload of an event, 90 days after it was processed. The event itself stays."""

from collections.abc import Sequence
from datetime import timedelta

from config import clock

from .models import StripeEvent

KEPT_FOR = timedelta(days=90)
BATCH = 500


def prune_inbox(*, limit: int = BATCH) -> int:
    """
    Empty up to `limit` old payloads, the oldest first, and return how many. Two statements, safe to repeat.

    Id, type, created and account stay, so that the same event is known if it comes again. What waits as stuck keeps its
    payload until it is dealt with. In machine time, because `processed_at` is.
    """
    old = StripeEvent.objects.filter(processed_at__lt=clock.machine_now() - KEPT_FOR).exclude(payload={})
    done = old.exclude(outcome=StripeEvent.Outcome.STUCK).order_by("processed_at").values_list("pk", flat=True)
    return StripeEvent.objects.filter(pk__in=list(done[:limit])).update(payload={})


def forget(account_ids: Sequence[str]) -> int:
    """Empty the payloads of all processed events of these accounts, and return of how many."""
    done = StripeEvent.objects.filter(account_id__in=account_ids, processed_at__isnull=False)
    return done.exclude(payload={}).update(payload={})
