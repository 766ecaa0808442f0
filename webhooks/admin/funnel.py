"""What came from Stripe in the last day, and how far it went: the pipe as a picture."""

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import Count

from config.metrics import counted
from config.panel.cells import list_link
from config.panel.sections import Funnel, Stage
from webhooks.handler_registry import ROUTES, endpoint_of
from webhooks.models import StripeEvent

DAY = timedelta(days=1)
# How many types Stripe has, by its documentation of the API version that we speak.
KNOWN_TYPES = 275
SHOWN = 11


def funnel(machine_now: datetime) -> Funnel:
    """Return the picture. One statement, by the index of what came last."""
    of_type = dict(
        StripeEvent.objects.filter(received_at__gt=machine_now - DAY)
        .order_by()
        .values_list("type")
        .annotate(count=Count("pk"))
    )
    of_endpoint: Counter[str] = Counter()
    for name, count in of_type.items():
        of_endpoint[endpoint_of(name) or "no more acted on"] += count
    dropped = counted("paygo_webhook_dropped_total", "type")
    endpoints = len({endpoint_of(name) for name in ROUTES})
    return Funnel(
        "The pipe, in the last day",
        [
            Stage("Stripe", f"{KNOWN_TYPES} types", "dropped here, since the start", _most(dropped)),
            Stage("acted on", f"{len(ROUTES)} types", f"{sum(of_type.values()):,} events in the inbox", _most(of_type)),
            Stage("endpoints", f"{endpoints}", "each one use case of the engine", _most(of_endpoint)),
            Stage("services", "the journal", "tells each account's facts in their order"),
        ],
        more=list_link(StripeEvent, "the inbox"),
    )


def _most(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:SHOWN]
