"""Who is billed, as invoices, receipts and credit notes say it: an agent writes down what the customer told."""

from collections.abc import Mapping

from django import forms

from accounts.models import TAX_ID, Account
from accounts.profile import set_buyer
from config.panel.acts import Act, Asked, Preview
from config.panel.roles import Permission


def _fields(_account: Account) -> Mapping[str, forms.Field]:
    return {
        "company": forms.CharField(
            label="Company", max_length=120, required=False, help_text="Empty: the name of the account."
        ),
        "tax_id": forms.RegexField(
            rf"(?ai)^{TAX_ID}\Z",
            label="Tax ID",
            max_length=40,
            required=False,
            error_messages={"invalid": "Letters and digits, with spaces, dots, dashes or slashes between them."},
        ),
    }


def _preview(asked: Asked[Account]) -> Preview:
    profile = asked.row.subs_account
    return Preview(
        money=[("Charged or given back", "nothing; tax is as it was")],
        access=[("Changes", "nothing")],
        also=[
            ("Company", f"{asked.values['company'] or asked.row.name}, was {profile.company or asked.row.name}"),
            ("Tax ID", f"{asked.values['tax_id'].upper() or 'none'}, was {profile.tax_id or 'none'}"),
            ("Stands on", "invoices, receipts and credit notes, earlier ones too when they are drawn again"),
        ],
    )


def _do(asked: Asked[Account]) -> str:
    set_buyer(
        asked.row.pk,
        company=asked.values["company"],
        tax_id=asked.values["tax_id"],
        actor=asked.actor,
        reason=asked.reason,
        now=asked.at,
    )
    return "It stands on the papers from now on."


BUYER: Act[Account] = Act(
    name="buyer",
    label="Change who is billed",
    sentence="Say which company stands on the papers of this account, and its tax id.",
    permission=Permission.CHANGE,
    fields=_fields,
    initial=lambda account: {"company": account.subs_account.company, "tax_id": account.subs_account.tax_id},
    preview=_preview,
    do=_do,
)
