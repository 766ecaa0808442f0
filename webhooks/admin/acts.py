"""What operators can do about events: have them taken up again."""

from collections.abc import Mapping
from datetime import datetime

from django import forms

from accounts.models import SubsStuckEvent
from accounts.stuck import settle_stuck, take_stuck
from config.panel.acts import Act, ActRefused, Asked, Preview
from config.panel.cells import list_link, moment, number
from config.panel.roles import Permission
from config.panel.sections import Table
from webhooks.models import StripeEvent
from webhooks.replay import Group, events_of, replay, waiting

ONCE_MORE = "As the newest state of its object says; a second time changes nothing."
GROUPS_SHOWN = 20


def _replay_event(asked: Asked[StripeEvent]) -> str:
    replay(StripeEvent.objects.filter(pk=asked.row.pk), now=asked.at)
    return "The event is due again."


def _why_not_event(event: StripeEvent, at: datetime) -> str:
    return "" if event.processed_at else "it is to be processed already"


REPLAY_EVENT: Act[StripeEvent] = Act(
    name="replay",
    label="Replay",
    sentence="Have this event processed once more, from the newest state of what it is about.",
    permission=Permission.OPERATE,
    why_not=_why_not_event,
    preview=lambda asked: Preview(
        money=[("May move", ONCE_MORE)],
        access=[("May change", ONCE_MORE)],
        also=[("Event", f"{asked.row.type}, {asked.row.pk}")],
    ),
    do=_replay_event,
)


def _replay_stuck(asked: Asked[SubsStuckEvent]) -> str:
    replay(StripeEvent.objects.filter(pk=asked.row.external_id), now=asked.at)
    return "What waited is due again."


def _why_not_stuck(item: SubsStuckEvent, at: datetime) -> str:
    if item.resolved_at:
        return "it was taken up again already"
    if item.reason == SubsStuckEvent.Reason.REFUND_FAILED:
        return "no event would bring this money back: see to it, then settle it"
    return "" if item.source == SubsStuckEvent.Source.STRIPE else "only Stripe's events can be replayed here"


REPLAY_STUCK: Act[SubsStuckEvent] = Act(
    name="replay",
    label="Replay",
    sentence="Have this event processed once more, now that what kept it waiting is mended.",
    permission=Permission.OPERATE,
    why_not=_why_not_stuck,
    preview=lambda asked: Preview(
        money=[("May move", ONCE_MORE)],
        access=[("May change", ONCE_MORE)],
        also=[("Event", f"{asked.row.kind}, {asked.row.external_id}"), ("Waited for", asked.row.get_reason_display())],
    ),
    do=_replay_stuck,
)


def _take(asked: Asked[SubsStuckEvent]) -> str:
    """:raises ActRefused: it was taken up again meanwhile."""
    if not take_stuck(asked.row, owner=asked.actor, now=asked.at):
        raise ActRefused("It was taken up again already.")
    return "You look after it."


TAKE_STUCK: Act[SubsStuckEvent] = Act(
    name="take",
    label="Look after it",
    sentence="Say that you look after this, so that nobody else needs to.",
    permission=Permission.OPERATE,
    why_not=lambda item, at: "it was taken up again already" if item.resolved_at else "",
    preview=lambda asked: Preview(
        money=[("Moves", "nothing")],
        access=[("Changes", "nothing")],
        also=[("Looked after by", asked.row.owner or "nobody"), ("From now on by", asked.actor)],
    ),
    do=_take,
)


def _settle(asked: Asked[SubsStuckEvent]) -> str:
    """:raises ActRefused: it was taken up again meanwhile."""
    if not settle_stuck(asked.row, actor=asked.actor, now=asked.at):
        raise ActRefused("It was taken up again already.")
    return "It waits no more."


SETTLE_STUCK: Act[SubsStuckEvent] = Act(
    name="settle",
    label="Settle",
    sentence="Say that this was dealt with by hand: it is not processed any more, and waits for nobody.",
    permission=Permission.OPERATE,
    why_not=lambda item, at: "it was taken up again already" if item.resolved_at else "",
    preview=lambda asked: Preview(
        money=[("Moves", "nothing: what it tells of is not applied")],
        access=[("Changes", "nothing")],
        also=[("Event", f"{asked.row.kind}, {asked.row.external_id}"), ("Waited for", asked.row.get_reason_display())],
    ),
    do=_settle,
)


def _group_fields(row: None) -> Mapping[str, forms.Field]:
    reasons = [("", "any"), *SubsStuckEvent.Reason.choices]
    return {
        "reason_why": forms.ChoiceField(label="Why", choices=reasons, required=False),
        "kind": forms.CharField(label="Type", required=False, help_text="Such as invoice.paid"),
        "signature": forms.CharField(label="Error", required=False, help_text="As the list of groups has it"),
        "customer": forms.CharField(label="Customer", required=False, help_text="cus_…"),
    }


def _group_of(asked: Asked[None]) -> Group:
    """:raises ActRefused: nothing of it waits."""
    group = Group(
        reason=asked.values["reason_why"] or "",
        kind=asked.values["kind"] or "",
        signature=asked.values["signature"] or "",
        customer=asked.values["customer"] or "",
    )
    if not group.items().exists():
        raise ActRefused("Nothing like that waits. Take away what is too narrow.")
    return group


def _preview_group(asked: Asked[None]) -> Preview:
    rows = _group_of(asked).counts(limit=GROUPS_SHOWN)
    labels = dict(SubsStuckEvent.Reason.choices)
    return Preview(
        money=[("May move", ONCE_MORE)],
        access=[("May change", ONCE_MORE)],
        sections=[
            Table(
                "What will be due again",
                ("Type", "Why", "Error", "Oldest since", "Events"),
                [
                    (
                        row["kind"],
                        labels[row["reason"]],
                        list_link(SubsStuckEvent, row["signature"], q=row["signature"]),
                        moment(row["oldest_at"]),
                        number(row["count"]),
                    )
                    for row in rows
                ],
                "",
            )
        ],
    )


def _replay_group(asked: Asked[None]) -> str:
    count = replay(events_of(_group_of(asked).items()), now=asked.at)
    return f"{count} event{'' if count == 1 else 's'} will be processed again."


REPLAY_GROUP: Act[None] = Act(
    name="replay-group",
    label="Replay a group",
    sentence="Have all that waits for one cause processed once more. With nothing filled in that is everything.",
    permission=Permission.OPERATE,
    why_not=lambda row, at: "" if waiting().exists() else "nothing of Stripe's waits",
    preview=_preview_group,
    do=_replay_group,
    fields=_group_fields,
)
