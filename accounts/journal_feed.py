"""The journal from any point on, for services that were away: the same events that the streams carry."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from .journal_events import TO_SERVICES, Told, envelope
from .models import JournalEntry


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, where the next page begins, and whether it has any yet."""

    events: list[dict[str, Any]]
    next: int
    has_more: bool


def of_account(account_id: str, *, after: int, limit: int) -> Page:
    """Return the account's events whose `sequence` is above `after`, in order. One statement."""
    entries = JournalEntry.objects.filter(account=account_id, sequence__gt=after, kind__in=TO_SERVICES)
    rows = list(entries.order_by("sequence")[: limit + 1])
    return Page(_events(rows[:limit]), int(rows[:limit][-1].sequence or 0) if rows else after, len(rows) > limit)


def of_all(*, after: int, limit: int) -> Page:
    """
    Return every account's events that were numbered above `after`, as far as no earlier number can still appear.

    A transaction that is slow to commit holds back what came after it: nobody who reads on from `next` misses it.
    """
    settled_id = _settle()
    entries = JournalEntry.objects.filter(pk__gt=after, pk__lte=settled_id, kind__in=TO_SERVICES)
    rows = list(entries.order_by("pk")[: limit + 1])
    if len(rows) > limit:
        return Page(_events(rows[:limit]), rows[limit - 1].pk, has_more=True)
    return Page(_events(rows), max(after, settled_id), has_more=False)


# What had a lower number than the newest entry we saw, and was not there yet, belongs to a transaction that already ran
# then: whoever writes an entry has locked or written something before, so it had its id. Once all of those are over,
# nothing can appear before that entry any more.
_SETTLE = """
    UPDATE journal_watermark SET
        settled_id = greatest(settled_id, pending_id),
        pending_id = (SELECT coalesce(max(id), 0) FROM journal_entry),
        pending_horizon = pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    WHERE pending_horizon <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
"""


def _settle() -> int:
    """Move the watermark on as far as it may, and return it; twice, so that what is pending settles if all is quiet."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE)
        cursor.execute(_SETTLE)
        cursor.execute("SELECT settled_id FROM journal_watermark")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _events(entries: Iterable[JournalEntry]) -> list[dict[str, Any]]:
    return [envelope(told(entry)) for entry in entries]


def told(entry: JournalEntry) -> Told:
    """Return what is told of a stored entry."""
    return Told(
        entry_id=entry.pk,
        kind=entry.kind,
        account_id=entry.account_id,
        sequence=entry.sequence,
        actor=entry.actor,
        cause=entry.cause,
        before=entry.before,
        after=entry.after,
        at=entry.at,
    )
