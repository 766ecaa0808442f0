"""As what type an account is treated when it owes: an agent says so, and the brain decides by it from then on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django import forms

from accounts.models import Account, AccountType
from accounts.profile import set_account_type
from config.panel.acts import Act, Asked, Preview
from config.panel.cells import lines
from config.panel.roles import Permission

from ..changes import changes
from ..decide import decide
from ..gather import gather
from ..policy import POLICY
from ..recompute import Examined
from .acts import changes_in_words


def _fields(_account: Account) -> Mapping[str, forms.Field]:
    return {"type": forms.ChoiceField(label="Type", choices=AccountType.choices)}


def _as_type(account_id: str, account_type: str, at: datetime) -> Examined:
    """What would be decided of an account, and change, if it were of another type."""
    (facts,) = gather([account_id], at)
    facts = replace(facts, account_type=account_type)
    decision = decide(facts, POLICY)
    return Examined(facts, decision, changes(facts, decision))


def _preview(asked: Asked[Account]) -> Preview:
    wanted = AccountType(asked.values["type"])
    examined = _as_type(asked.row.pk, wanted.value, asked.at)
    return Preview(
        money=[("Charged or given back", "nothing now; what is due is charged by itself")],
        access=[("Changes", lines(*changes_in_words(examined)) or "nothing")],
        also=[
            ("Now", asked.row.subs_account.get_account_type_display()),
            ("Then", f"{wanted.label}, treated as {examined.decision.cell.treatment.value}"),
            ("Decided then", f"{examined.decision.status or 'hands off'}: {examined.decision.because}"),
        ],
    )


def _do(asked: Asked[Account]) -> str:
    wanted = AccountType(asked.values["type"])
    set_account_type(asked.row.pk, wanted, actor=asked.actor, reason=asked.reason, now=asked.at)
    return f"It is treated as {wanted.label} from now on."


TYPE: Act[Account] = Act(
    name="type",
    label="Change the type",
    sentence="Say as what type this account is treated when it owes.",
    permission=Permission.WRITE_OFF,
    why_not=lambda account, _at: "it is closed" if account.closed_at is not None else "",
    fields=_fields,
    initial=lambda account: {"type": account.subs_account.account_type},
    preview=_preview,
    do=_do,
)
