"""What agents can give instead of sell: a plan by their own word or by a contract, and the end of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms

from accounts.models import Account, Zone
from billing.catalog.lookup import current_catalog
from billing.changes_calculator.licences import Licence, is_grant
from billing.changes_calculator.preview import preview
from billing.changes_calculator.request import ChangeRequest, ObjectKind, Origin, Want
from billing.changes_calculator.submit import submit
from billing.models.objectproducts import Ope
from config.panel.acts import Act, Asked, Preview
from config.panel.roles import Permission

from .change_preview import preview_of

BY_AGENT, BY_CONTRACT = "ADMIN", "CONTRACT"
REASON_LENGTH = 110


def _fields(scope: ObjectKind) -> Mapping[str, forms.Field]:
    plans = [
        (plan.id, plan.public_name)
        for plan in current_catalog().plans.values()
        if plan.scope == scope.value and not plan.is_free and not plan.externally_managed
    ]
    return {
        "plan": forms.ChoiceField(choices=plans),
        "by": forms.ChoiceField(
            label="On whose word",
            choices=[(BY_AGENT, "ours: the reason below says why"), (BY_CONTRACT, "a contract's")],
        ),
    }


def _licence(asked: Asked[Any]) -> Licence:
    """The reason is kept with what is granted, as far as there is room."""
    if asked.values["by"] == BY_CONTRACT:
        return Licence("CONTRACT:CONTRACT")
    reason = " ".join(asked.reason.split())[:REASON_LENGTH].strip()
    return Licence(f"ADMIN:{reason or 'an agent'}")


def _request(asked: Asked[Any], account_id: str, want: Want) -> ChangeRequest:
    return ChangeRequest(
        account_id=account_id,
        wants=(want,),
        origin=Origin.NINJAPANEL,
        actor=asked.actor,
        on_session=False,
        requested_at=asked.at,
    )


def _grant_to_zone(asked: Asked[Zone]) -> ChangeRequest:
    want = Want(ObjectKind.ZONE, asked.row.pk, asked.values["plan"], licence=_licence(asked))
    return _request(asked, asked.row.account_id, want)


def _grant_to_account(asked: Asked[Account]) -> ChangeRequest:
    want = Want(ObjectKind.ACCOUNT, asked.row.pk, asked.values["plan"], licence=_licence(asked))
    return _request(asked, asked.row.pk, want)


def _end(asked: Asked[Ope]) -> ChangeRequest:
    ope = asked.row
    kind = ObjectKind(ope.object_kind)
    want = Want(kind, ope.object_id, ope.current.rate_plan_id, ope.current.interval, is_cancellation=True)
    return _request(asked, ope.account_id, want)


def _granted(request: ChangeRequest) -> str:
    submit(request)
    return f"{request.wants[0].plan_name} is granted, and nothing is charged for it."


def _ended(request: ChangeRequest) -> str:
    submit(request)
    return "It ends as shown."


def _preview(request: ChangeRequest) -> Preview:
    return preview_of(preview(request))


def _why_not_grant_to_zone(zone: Zone, at: datetime) -> str:
    return "the zone was removed" if zone.deleted_at else ""


def _why_not_grant_to_account(account: Account, at: datetime) -> str:
    return "the account is closed" if account.closed_at else ""


def _why_not_end(ope: Ope, at: datetime) -> str:
    if ope.deleted_date is not None:
        return "it was removed"
    if not is_grant(ope.license_source_id):
        return "nobody granted it: it is bought, or free"
    return "" if ope.kind == Ope.Kind.ENUM else "it ends with its plan"


SENTENCE = (
    "Give a plan that nobody pays for, until it is ended, bought or granted otherwise. What is paid for in its place "
    "is not billed any more."
)
GRANT_TO_ZONE: Act[Zone] = Act(
    name="grant-licence",
    label="Grant a plan",
    sentence=SENTENCE,
    permission=Permission.CHANGE,
    why_not=_why_not_grant_to_zone,
    fields=lambda _zone: _fields(ObjectKind.ZONE),
    preview=lambda asked: _preview(_grant_to_zone(asked)),
    do=lambda asked: _granted(_grant_to_zone(asked)),
)
GRANT_TO_ACCOUNT: Act[Account] = Act(
    name="grant-licence",
    label="Grant a plan",
    sentence=SENTENCE,
    permission=Permission.CHANGE,
    why_not=_why_not_grant_to_account,
    fields=lambda _account: _fields(ObjectKind.ACCOUNT),
    preview=lambda asked: _preview(_grant_to_account(asked)),
    do=lambda asked: _granted(_grant_to_account(asked)),
)
END: Act[Ope] = Act(
    name="end-licence",
    label="End what was granted",
    sentence="End a plan that was granted. It goes at once; a trial keeps its end and is not charged after it.",
    permission=Permission.CHANGE,
    why_not=_why_not_end,
    preview=lambda asked: _preview(_end(asked)),
    do=lambda asked: _ended(_end(asked)),
)
