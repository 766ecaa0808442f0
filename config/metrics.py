"""
`/metrics` for Prometheus: what the processes counted, and what stands in the database now.

Counters are declared where they are counted. With several processes each keeps its own in the directory
PROMETHEUS_MULTIPROC_DIR, and whichever answers adds them up. Not public: staff, or the holder of METRICS_TOKEN.
"""

import hmac
import os
from collections import Counter
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from . import clock


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with every metric, to whom it may concern; to others as if there were nothing here."""
    if not _may_read(request):
        return HttpResponse(status=404)
    counted: HttpResponse = ExportToDjangoView(request)
    registry = CollectorRegistry()
    registry.register(DatabaseGauges())
    counted.content = counted.content + generate_latest(registry)
    counted["Cache-Control"] = "no-store"
    return counted


def counted(name: str, label: str) -> dict[str, int]:
    """Return what all processes counted of a metric, by the values of one label."""
    registry: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    found: Counter[str] = Counter()
    for metric in registry.collect():
        for sample in metric.samples:
            if sample.name == name:
                found[sample.labels[label]] += int(sample.value)
    return dict(found)


def _may_read(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme == "Bearer" and hmac.compare_digest(token.encode(), settings.METRICS_TOKEN):
        return True
    if settings.IS_LOCAL and request.META.get("REMOTE_ADDR") == "127.0.0.1":
        return True
    return bool(request.user.is_active and request.user.is_staff)


# name, what it says, its labels, and the statement that answers it from an index: the labels, then the number.
GAUGES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    (
        "paygo_stuck_events",
        "What came from outside and waits for somebody, by reason.",
        ("source", "reason"),
        "SELECT source, reason, count(*) FROM subs_stuck_events WHERE resolved_at IS NULL GROUP BY source, reason",
    ),
    (
        "paygo_inbox_events",
        "Events of Stripe's that are to be processed.",
        (),
        "SELECT count(*) FROM stripe_event WHERE processed_at IS NULL",
    ),
    (
        "paygo_inbox_oldest_seconds",
        "How long the oldest event that is to be processed has been here.",
        (),
        "SELECT coalesce(extract(epoch FROM %s - min(received_at)), 0) FROM stripe_event WHERE processed_at IS NULL",
    ),
    (
        "paygo_journal_undelivered",
        "Journal entries that a consumer has not dealt with yet.",
        ("consumer",),
        "SELECT consumer, count(*) FROM journal_delivery GROUP BY consumer",
    ),
    (
        "paygo_journal_lag_seconds",
        "How long ago the oldest entry that a consumer has not dealt with was written.",
        ("consumer",),
        """
        SELECT consumer, extract(epoch FROM %s - min(recorded_at))
        FROM journal_delivery JOIN journal_entry entry ON entry.id = entry_id GROUP BY consumer
        """,
    ),
    (
        "paygo_workflows",
        "Changes that have not ended, by the step at which they stand.",
        ("step",),
        "SELECT step, count(*) FROM change_workflow WHERE finished_at IS NULL GROUP BY step",
    ),
)


class DatabaseGauges(Collector):
    """Asks the database when Prometheus asks; one statement a gauge."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            yield from _gauges()
        except DatabaseError:
            connection.close()
            yield GaugeMetricFamily("paygo_database_up", "Whether the database answers.", value=0)
        else:
            yield GaugeMetricFamily("paygo_database_up", "Whether the database answers.", value=1)


def _gauges() -> list[GaugeMetricFamily]:
    machine_now, gauges = clock.machine_now(), []
    with connection.cursor() as cursor:
        for name, says, labels, sql in GAUGES:
            gauge = GaugeMetricFamily(name, says, labels=labels)
            cursor.execute(sql, [machine_now] * sql.count("%s"))
            for *values, number in cursor.fetchall():
                gauge.add_metric([str(value) for value in values], float(number))
            gauges.append(gauge)
    return gauges
