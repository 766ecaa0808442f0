"""What operators can do when consequences must not go on as fast as they do: brakes, and outages of a processor."""

from collections.abc import Mapping
from typing import Any

from django import forms

from config.panel.acts import Act, Asked, Preview
from config.panel.roles import Permission

from .. import brakes, outages
from ..consequence_kinds import KINDS, Consequence
from ..models.actions import DunningAction, DunningBrake

FREE, STOPPED, LIMITED = "free", "stopped", "limited"


def _fields(_row: Any) -> Mapping[str, forms.Field]:
    kinds = [(kind.value, f"{kind.value.replace('_', ' ')}: {row.in_words}") for kind, row in KINDS.items()]
    return {
        "kind": forms.ChoiceField(label="What", choices=kinds),
        "brake": forms.ChoiceField(
            label="Brake",
            choices=[(STOPPED, "stop it: nothing of it happens"), (LIMITED, "limit it"), (FREE, "let it run")],
        ),
        "limit": forms.IntegerField(label="At most, in an hour", required=False, min_value=1, max_value=1_000_000),
    }


def _preview_brake(asked: Asked[None]) -> Preview:
    kind = Consequence(asked.values["kind"])
    stands = DunningBrake.objects.filter(kind=kind.value).first()
    waiting = DunningAction.objects.filter(kind=kind.value, done_at__isnull=True)[:1001].count()
    wanted = {STOPPED: "stopped", FREE: "free"}.get(asked.values["brake"], f"{asked.values['limit']} an hour")
    return Preview(
        money=[("Lost", "nothing: what waits goes on when the brake is off")],
        access=[("Of this kind wait now", f"{waiting:,}" if waiting <= 1000 else "more than 1,000")],
        also=[("Now", str(stands) if stands else "free"), ("Then", wanted)],
    )


def _brake(asked: Asked[None]) -> str:
    kind, brake = Consequence(asked.values["kind"]), asked.values["brake"]
    limit = asked.values["limit"]
    if brake == LIMITED and limit is None:
        raise brakes.BrakeRefused("Say how many an hour.")
    brakes.set_brake(
        kind,
        is_stopped=brake == STOPPED,
        limit_per_hour=limit if brake == LIMITED else None,
        actor=asked.actor,
        reason=asked.reason,
        now=asked.at,
    )
    return f"{kind.value.replace('_', ' ').capitalize()}: {brake}."


BRAKE: Act[None] = Act(
    name="brake",
    label="Set a brake",
    sentence="Stop or limit one kind of what follows from debt, for all accounts.",
    permission=Permission.OPERATE,
    fields=_fields,
    preview=_preview_brake,
    do=_brake,
)


def _preview_outage(asked: Asked[None]) -> Preview:
    return Preview(
        money=[("Charged, credited or marked", "nothing until the outage is ended")],
        access=[("Given up", "nobody; each clock goes on later by as long as it lasts")],
        also=[("Stripe", "does not answer" if outages.lasts() else "answers")],
    )


def _declare(asked: Asked[None]) -> str:
    outages.declare(actor=asked.actor, reason=asked.reason, now=asked.at)
    return "The outage is declared. End it here when Stripe answers again."


def _end(asked: Asked[None]) -> str:
    outages.end(actor=asked.actor, reason=asked.reason, now=asked.at)
    return "The outage is ended. What waited goes on."


DECLARE: Act[None] = Act(
    name="declare-outage",
    label="Declare an outage",
    sentence="Say that Stripe does not answer: nobody's debt grows older until the outage is ended.",
    permission=Permission.OPERATE,
    why_not=lambda _row, _at: "an outage is declared already" if outages.lasts() else "",
    preview=_preview_outage,
    do=_declare,
)

END: Act[None] = Act(
    name="end-outage",
    label="End the outage",
    sentence="Say that Stripe answers again: what waited goes on, each clock later by as long as it lasted.",
    permission=Permission.OPERATE,
    why_not=lambda _row, _at: "" if outages.lasts() else "no outage is declared",
    preview=_preview_outage,
    do=_end,
)
