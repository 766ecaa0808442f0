"""What agents can do about a zone: have another account serve its domain."""

from collections.abc import Mapping
from datetime import datetime

from django import forms

from accounts.models import Account, Zone
from billing.move_zone import check_can_move, move_zone
from config.panel.acts import Act, ActRefused, Asked, Preview
from config.panel.cells import code, link, with_note
from config.panel.roles import Permission


def _fields(zone: Zone) -> Mapping[str, forms.Field]:
    return {"account": forms.RegexField("^[0-9a-fA-F]{32}$", label="Id of the other account", strip=True)}


def _destination(asked: Asked[Zone]) -> Account:
    """:raises ActRefused: there is no such account, or it takes no domain."""
    account = Account.objects.filter(pk=asked.values["account"].lower()).first()
    if account is None:
        raise ActRefused("There is no such account.")
    if account.closed_at is not None:
        raise ActRefused("That account is closed.")
    if account.pk == asked.row.account_id:
        raise ActRefused("The account serves this domain already.")
    return account


def _preview(asked: Asked[Zone]) -> Preview:
    """:raises ChangeRefused: more than the free plan is on it, or a change of it is under way."""
    account = _destination(asked)
    check_can_move(asked.row)
    return Preview(
        money=[("Charged", "nothing"), ("What was billed for it", "stays with this account")],
        access=[
            ("From now on", with_note(link(Account, account.pk, account.name), code(account.pk))),
            ("There it has", "the free plan, and an id of its own"),
        ],
    )


def _move(asked: Asked[Zone]) -> str:
    account = _destination(asked)
    moved = move_zone(asked.row, account.pk, actor=asked.actor, now=asked.at)
    return f"{moved.name} is served for {account.name} now, as {moved.pk}."


def _why_not(zone: Zone, at: datetime) -> str:
    return "the zone was removed" if zone.deleted_at else ""


MOVE: Act[Zone] = Act(
    name="move",
    label="Move to another account",
    sentence="Have another account serve this domain. Nothing but the free plan may be on it.",
    permission=Permission.CHANGE,
    why_not=_why_not,
    fields=_fields,
    preview=_preview,
    do=_move,
    is_final=True,
)
