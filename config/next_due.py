"""When the application has something to do next: one question over every column that says so."""

from datetime import datetime

from django.db import connection

from dunning.consequences.ready import READY

from . import clock

# Each table of work that is rows, and which of them still wait.
WORK: tuple[tuple[str, str], ...] = (
    ("billing_schedule_due", "TRUE"),
    ("billing_schedule_left", "TRUE"),
    ("change_workflow",      "finished_at IS NULL"),
    ("credit_expiry",        "TRUE"),
    ("dispute_due",          "TRUE"),
    ("domain_charge",        "ended_at IS NULL"),
    ("dunning_action",       READY),
    ("dunning_due",          "TRUE"),
    ("invoice_act",          "done_at IS NULL"),
    ("invoice_due",          "TRUE"),
    ("journal_delivery",     "TRUE"),
    ("notice",               "sent_at IS NULL AND given_up_at IS NULL"),
    ("payment_attempt_due",  "TRUE"),
    ("stripe_event",         "processed_at IS NULL"),
    ("subs_scheduled_service_level_change", "ended_at IS NULL"),
    ("subscription_item_empty", "TRUE"),
)  # fmt: skip

_NEXT = " UNION ALL ".join(
    f"SELECT '{table}' AS work, min(next_at) AS due_at, count(*) FILTER (WHERE lease_until > %s) AS leased"  # noqa: S608
    f" FROM {table} WHERE {waits}"
    for table, waits in WORK
)


def next_due() -> datetime | None:
    """Return the earliest business time at which something falls due, None if nothing ever will. One statement."""
    return min((due_at for due_at, _ in _waiting().values() if due_at is not None), default=None)


def unfinished(now: datetime) -> list[str]:
    """Return the names of the tables that hold work due by `now`, or work that somebody holds. One statement."""
    return [work for work, (due_at, leased) in _waiting().items() if leased or (due_at is not None and due_at <= now)]


def _waiting() -> dict[str, tuple[datetime | None, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [clock.machine_now()] * len(WORK))
        return {work: (due_at, leased) for work, due_at, leased in cursor.fetchall()}
