"""The only writer of `subs_stuck_events`: what came from outside and could not be processed."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from . import journal
from .models import SubsStuckEvent


def open_stuck(
    *,
    source: SubsStuckEvent.Source,
    external_id: str,
    kind: str,
    reason: SubsStuckEvent.Reason,
    signature: str,
    customer_reference: str,
    account_id: str | None = None,
    now: datetime,
) -> None:
    """
    Keep an event that could not be processed, with the reason, until somebody or something releases it.

    `account_id` is given where it is known whose it is. Opening one that is open already counts the attempt and takes
    the newer reason.
    """
    with transaction.atomic():
        item, is_new = SubsStuckEvent.objects.get_or_create(
            source=source,
            external_id=external_id,
            defaults={
                "kind": kind,
                "reason": reason,
                "signature": signature[:200],
                "customer_reference": customer_reference,
                "account_id": account_id,
                "stuck_at": now,
            },
        )
        if not is_new:
            item.reason, item.signature, item.resolved_at = reason, signature[:200], None
            item.attempts += 1
            item.save(update_fields=["reason", "signature", "resolved_at", "attempts"])
        journal.emit(_fact("stuck.opened", item), at=now)


def release_stuck(items: Sequence[SubsStuckEvent], *, now: datetime) -> None:
    """Mark these as taken up again; whoever calls makes their events due."""
    with transaction.atomic():
        SubsStuckEvent.objects.filter(pk__in=[item.pk for item in items]).update(resolved_at=now)
        journal.emit(*(_fact("stuck.released", item) for item in items), at=now)


def settle_stuck(item: SubsStuckEvent, *, actor: str, now: datetime) -> bool:
    """Mark an item as dealt with by hand, and return whether it still waited; if not, nothing is written."""
    with transaction.atomic():
        waits = SubsStuckEvent.objects.filter(pk=item.pk, resolved_at__isnull=True).update(resolved_at=now)
        if waits:
            journal.emit(_fact("stuck.settled", item, actor=actor), at=now)
    return bool(waits)


def take_stuck(item: SubsStuckEvent, *, owner: str, now: datetime) -> bool:
    """
    Write down who looks after an item from now on, and return whether it still waits; if not, nothing is written.

    Whoever looked after it before does so no more.
    """
    with transaction.atomic():
        waits = SubsStuckEvent.objects.filter(pk=item.pk, resolved_at__isnull=True).update(owner=owner)
        if waits:
            journal.emit(_fact("stuck.taken", item, actor=owner), at=now)
    return bool(waits)


def _fact(kind: str, item: SubsStuckEvent, *, actor: str = "system:pipe") -> journal.Fact:
    return journal.Fact(
        kind=kind,
        account_id=None,
        actor=actor,
        reason=item.reason,
        cause=f"{item.source}:{item.external_id}",
        after={"type": item.kind, "attempts": item.attempts},
    )
