"""What agents can give an account: goodwill credit, up to what their role may give."""

from accounts.lock import account_lock
from billing.invoicing.credits import Grant, grant
from billing.models.credits import Credit
from billing.models.invoices import Invoice
from config.panel.acts import Act, ActRefused, Asked, Preview
from config.panel.cells import money
from config.panel.roles import Permission

from .amounts import amount_field, minor_of
from .credit_limits import is_within, most_minor


def _minor_within_limit(asked: Asked[Invoice]) -> int:
    """:raises ActRefused: more than this agent may give."""
    amount_minor = minor_of(asked.values["amount"], asked.row.currency)
    if not is_within(amount_minor, asked.permissions):
        most = money(most_minor(asked.permissions) or 0, asked.row.currency)
        raise ActRefused(f"You may give up to {most} at once. Ask somebody whose role may give more.")
    return amount_minor


def _preview(asked: Asked[Invoice]) -> Preview:
    return Preview(
        money=[
            ("Credit given", money(_minor_within_limit(asked), asked.row.currency)),
            ("This invoice", "asks for as much as before"),
            ("Later invoices", "are paid from the credit before money is asked for"),
        ],
        access=[("Stays", "what the account has")],
    )


def _give(asked: Asked[Invoice]) -> str:
    amount_minor, invoice = _minor_within_limit(asked), asked.row
    wanted = Grant(
        kind=Credit.Kind.GOODWILL, amount_minor=amount_minor, currency=invoice.currency, source=f"agent:{asked.key}"
    )
    with account_lock(invoice.account_id):
        grant(invoice.account_id, wanted, actor=asked.actor, reason=asked.reason, now=asked.at)
    return f"The account has {money(amount_minor, invoice.currency)} more credit."


CREDIT: Act[Invoice] = Act(
    name="credit-account",
    label="Credit the account",
    sentence="Give the account goodwill credit, in the currency of this invoice.",
    permission=Permission.CREDIT,
    preview=_preview,
    do=_give,
    fields=lambda invoice: {"amount": amount_field(invoice.currency)},
)
