"""What agents can do about an account as a whole: close it, and say which plans it may buy that not everybody may."""

from collections.abc import Mapping
from datetime import datetime

from django import forms

from accounts.models import CONTRACT_TYPES, Account, Zone
from accounts.profile import set_product_sets
from billing.catalog.lookup import current_catalog
from billing.close_account import close_account
from billing.models.changes import ChangeWorkflow
from billing.models.objectproducts import Ope
from billing.payments.pay_invoice import unpaid_invoices
from config.panel.acts import Act, ActRefused, Asked, Preview
from config.panel.cells import lines, money
from config.panel.roles import Permission

SHOWN = 20


def _why_not_close(account: Account, at: datetime) -> str:
    if account.closed_at is not None:
        return "it is closed"
    profile = getattr(account, "subs_account", None)
    return "it is billed by contract" if profile is not None and profile.account_type in CONTRACT_TYPES else ""


def _preview_close(asked: Asked[Account]) -> Preview:
    account = asked.row
    unpaid = unpaid_invoices(account.pk)
    owned = [ope for ope in Ope.objects.filter(account=account, kind=Ope.Kind.ENUM, deleted_date__isnull=True)
             if ope.current.rank > 0]  # fmt: skip
    zones = Zone.objects.filter(account=account, deleted_at__isnull=True).count()
    waiting = ChangeWorkflow.objects.filter(account=account, finished_at__isnull=True).count()
    return Preview(
        money=[
            ("Collected first", lines(*(f"{each}: {money(each.remaining_minor, each.currency)}" for each in unpaid))
             or "nothing is unpaid"),
            ("If that can't be collected", "the account stays as it is"),
            ("Given back", "nothing"),
        ],
        access=[
            ("Ends with what is paid", lines(*(_until(ope) for ope in owned[:SHOWN])) or "nothing is paid for"),
            ("Zones", f"{zones} removed"),
            ("From now on", "nothing can be bought; members still see what was billed"),
        ],
        also=[("Changes that wait", f"{waiting} given up")] if waiting else (),
    )  # fmt: skip


def _until(ope: Ope) -> str:
    ends_at = ope.current.ends_at
    return f"{ope.current.rate_plan_id}, {'until ' + format(ends_at, '%Y-%m-%d') if ends_at else 'at once'}"


def _close(asked: Asked[Account]) -> str:
    close_account(asked.row.pk, actor=asked.actor, now=asked.at)
    return "The account is closed."


CLOSE: Act[Account] = Act(
    name="close",
    label="Close the account",
    sentence="Collect what is unpaid, end all that the account has with what is paid for it, and close it.",
    permission=Permission.CHANGE,
    why_not=_why_not_close,
    preview=_preview_close,
    do=_close,
    is_final=True,
)


def _sets(account: Account) -> list[str]:
    """Every set that a plan names, and those that the account has."""
    named = {each for plan in current_catalog().plans.values() for each in plan.sets}
    return sorted(named | set(account.subs_account.product_sets or ()))


def _why_not_access(account: Account, at: datetime) -> str:
    return "it is closed" if account.closed_at is not None else ""


def _access_fields(account: Account) -> Mapping[str, forms.Field]:
    choices = [(each, each) for each in _sets(account)]
    return {
        "sets": forms.MultipleChoiceField(
            label="Sets of plans", choices=choices, required=False, widget=forms.CheckboxSelectMultiple
        )
    }


def _preview_access(asked: Asked[Account]) -> Preview:
    """:raises ActRefused: there is nothing to say."""
    if not _sets(asked.row):
        raise ActRefused("Every plan on sale is sold to every account.")
    wanted, had = set(asked.values["sets"]), set(asked.row.subs_account.product_sets or ())
    sold = [plan for plan in current_catalog().plans.values() if plan.sets]
    may = [plan.public_name for plan in sold if wanted.intersection(plan.sets)]
    may_not = [plan.public_name for plan in sold if had.intersection(plan.sets) and not wanted.intersection(plan.sets)]
    return Preview(
        access=[
            ("May be bought", lines(*may) or "what everybody may buy"),
            ("Not any more", lines(*may_not) or "nothing"),
            ("What it has", "stays as it is"),
        ]
    )


def _set_access(asked: Asked[Account]) -> str:
    set_product_sets(asked.row.pk, asked.values["sets"], actor=asked.actor, now=asked.at)
    return "Said. It holds for purchases from now on."


ACCESS: Act[Account] = Act(
    name="access",
    label="Say what it may buy",
    sentence="Say which plans this account may buy beside those that are sold to everybody.",
    permission=Permission.CHANGE,
    why_not=_why_not_access,
    fields=_access_fields,
    initial=lambda account: {"sets": account.subs_account.product_sets or []},
    preview=_preview_access,
    do=_set_access,
)
