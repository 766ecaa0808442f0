"""What waits, by cause: the same error, of the same type, for the same reason is one thing to mend."""

from collections.abc import Mapping
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Max, Min, Q

from accounts.models import SubsStuckEvent
from config.panel.cells import act_link, list_link, moment, number, with_note
from config.panel.roles import Permission, roles_with
from config.panel.sections import Overview, Page, Table
from webhooks.admin.acts import REPLAY_GROUP

from .words import STUCK_REASONS, actor_in_words

SHOWN = 200


def groups_page(permissions: frozenset[Permission]) -> Page:
    """Return the page of what waits, the largest group first. One statement, by the index of what is open."""
    groups = (
        SubsStuckEvent.objects.filter(resolved_at__isnull=True)
        .values("source", "kind", "reason", "signature")
        .annotate(
            count=Count("pk"),
            oldest_at=Min("stuck_at"),
            newest_at=Max("stuck_at"),
            owners=ArrayAgg("owner", distinct=True, filter=~Q(owner=""), default=[]),
        )
        .order_by("-count", "oldest_at")[:SHOWN]
    )
    return Page(
        title="What waits, by cause",
        subtitle="The same error, of the same type, for the same reason: mend the cause, then replay the group.",
        sections=[
            Table(
                "Groups",
                ("Type", "Why", "Error", "Events", "Oldest", "Newest", "Looked after by", ""),
                [_row(group, permissions) for group in groups],
                "Nothing waits.",
                more=list_link(SubsStuckEvent, "one by one"),
            )
        ],
    )


def _row(group: Mapping[str, Any], permissions: frozenset[Permission]) -> tuple[object, ...]:
    reason = SubsStuckEvent.Reason(group["reason"])
    return (
        group["kind"],
        with_note(reason.label, STUCK_REASONS[reason]),
        list_link(SubsStuckEvent, group["signature"], q=group["signature"]),
        number(group["count"]),
        moment(group["oldest_at"]),
        moment(group["newest_at"]),
        ", ".join(actor_in_words(owner) for owner in group["owners"]) or "nobody",
        _replay(group, permissions),
    )


def _replay(group: Mapping[str, Any], permissions: frozenset[Permission]) -> object:
    """Return the way to the act on just this group, or why there is none."""
    if group["source"] != SubsStuckEvent.Source.STRIPE or group["reason"] == SubsStuckEvent.Reason.REFUND_FAILED:
        return "one by one"
    if REPLAY_GROUP.permission not in permissions:
        return f"needs the role {' or '.join(roles_with(REPLAY_GROUP.permission))}"
    return act_link(
        SubsStuckEvent,
        REPLAY_GROUP.name,
        "Replay",
        reason_why=group["reason"],
        kind=group["kind"],
        signature=group["signature"],
    )


BY_CAUSE = Overview("by-cause", "By cause", groups_page)
