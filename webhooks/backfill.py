"""Ask Stripe for events that never arrived, and put them into the inbox as if they had."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from billing.cfstripe import events
from billing.cfstripe.shapes import Raw
from config import wake

from .event_filter import store_fetched
from .handler_registry import is_ours
from .models import StripeEvent

logger = structlog.get_logger()

STRIPE_KEEPS = timedelta(days=30)
# Stripe tries for three days; what it has given up by then is still listed as undelivered.
LOOK_BACK = timedelta(days=4)


class TooLongAgo(Exception):
    """Stripe does not keep events for so long."""

    code = "too_long_ago"


@dataclass(frozen=True, slots=True)
class Found:
    """How many events Stripe listed, how many of them are ours to act on, and how many of those were missing here."""

    listed: int
    ours: int
    missing: int


def backfill(*, since: datetime, undelivered_only: bool = False, is_dry_run: bool = False, now: datetime) -> Found:
    """
    Store every event since then that we act on and don't have; those take the road of all events. Safe to repeat.

    :raises TooLongAgo: Stripe keeps events for thirty days.
    :raises StripeUnavailable: no answer; what was stored stays stored.
    """
    if since < now - STRIPE_KEEPS:
        raise TooLongAgo(f"Stripe keeps events for {STRIPE_KEEPS.days} days.")
    listed = ours = missing = 0
    for page in events.pages_since(since, undelivered_only=undelivered_only):
        wanted = [event for event in page if is_ours(event["type"])]
        listed, ours = listed + len(page), ours + len(wanted)
        missing += _unknown(wanted) if is_dry_run else _store(wanted)
    if missing and not is_dry_run:
        logger.warning("webhook.backfilled", missing=missing)
    return Found(listed, ours, missing)


def backfill_recent(*, now: datetime) -> int:
    """Store what Stripe could not deliver lately, and return how many events that were. Runs by itself."""
    return backfill(since=now - LOOK_BACK, undelivered_only=True, now=now).missing


def _store(wanted: list[Raw]) -> int:
    with transaction.atomic():
        stored = sum(store_fetched(event) for event in wanted)
    if stored:
        wake.wake("webhooks.forward")
    return stored


def _unknown(wanted: list[Raw]) -> int:
    ids = [event["id"] for event in wanted]
    return len(ids) - StripeEvent.objects.filter(pk__in=ids).count()
