"""
What customers are told by e-mail. Pure: one row per kind, and its text in `accounts/templates/notices/<kind>.txt`.

A subject is English; `accounts/locale/` has it in other languages. `link` is a path of the Dashboard, where the
customer can do what the text asks for.
"""

from dataclasses import dataclass

LANGUAGES = ("en", "de")


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """
    How one kind of notice looks; `{account_id}`, `{about}` and the facts' names may stand in `link`.

    `to_finance`: our own finance reads it, in English, and the link is one of NinjaPanel.
    """

    subject: str
    action: str
    link: str
    to_finance: bool = False


def gettext_noop(text: str) -> str:
    """Mark a text for `manage.py makemessages`; it is translated when it is needed."""
    return text


KINDS: dict[str, NoticeKind] = {
    "bad_debt": NoticeKind(
        subject=gettext_noop("Your account is restricted: an invoice was not paid"),
        action=gettext_noop("Pay what is owed"),
        link="/{account_id}/billing/debt",
    ),
    "change_declined": NoticeKind(
        subject=gettext_noop("Your payment was declined, and nothing was changed"),
        action=gettext_noop("Choose another payment method"),
        link="/{account_id}/billing/changes/{about}",
    ),
    "change_needs_confirmation": NoticeKind(
        subject=gettext_noop("Please confirm a payment with your bank"),
        action=gettext_noop("Confirm the payment"),
        link="/{account_id}/billing/changes/{about}",
    ),
    "change_refunded": NoticeKind(
        subject=gettext_noop("Your payment is on its way back to you"),
        action=gettext_noop("See what happened"),
        link="/{account_id}/billing/changes/{about}",
    ),
    "contract_overdue": NoticeKind(
        subject=gettext_noop("An invoice of a contract customer is overdue"),
        action=gettext_noop("See the account"),
        link="/ninja/accounts/account/{account_id}/",
        to_finance=True,
    ),
    "debt_cleared": NoticeKind(
        subject=gettext_noop("Thank you: your account is in good standing again"),
        action=gettext_noop("Choose a plan"),
        link="/{account_id}/billing/subscriptions",
    ),
    "domain_expires": NoticeKind(
        subject=gettext_noop("Your domain could not be renewed, and will expire"),
        action=gettext_noop("Renew the domain"),
        link="/{account_id}/domains/{domain}",
    ),
    "domain_renewal_unpaid": NoticeKind(
        subject=gettext_noop("The renewal of your domain could not be paid"),
        action=gettext_noop("Choose another payment method"),
        link="/{account_id}/domains/{domain}",
    ),
    "domain_unpaid": NoticeKind(
        subject=gettext_noop("Your domain could not be paid"),
        action=gettext_noop("Choose another payment method"),
        link="/{account_id}/domains/{domain}",
    ),
    "ended_unpaid": NoticeKind(
        subject=gettext_noop("A subscription has ended: it was not paid"),
        action=gettext_noop("Choose a plan"),
        link="/{account_id}/billing/subscriptions",
    ),
    "payment_action_required": NoticeKind(
        subject=gettext_noop("We need you to pay an invoice"),
        action=gettext_noop("Pay the invoice"),
        link="/{account_id}/billing/invoices/{about}",
    ),
    "payment_failed": NoticeKind(
        subject=gettext_noop("A payment did not go through"),
        action=gettext_noop("Pay the invoice"),
        link="/{account_id}/billing/invoices/{about}",
    ),
    "payment_failed_last_warning": NoticeKind(
        subject=gettext_noop("Last warning: tomorrow your account is restricted"),
        action=gettext_noop("Pay the invoice"),
        link="/{account_id}/billing/invoices/{about}",
    ),
    "payment_failed_warning": NoticeKind(
        subject=gettext_noop("A payment still does not go through"),
        action=gettext_noop("Pay the invoice"),
        link="/{account_id}/billing/invoices/{about}",
    ),
    "switch_unpaid": NoticeKind(
        subject=gettext_noop("Your monthly plan could not be paid, and has ended"),
        action=gettext_noop("Choose a plan again"),
        link="/{account_id}/billing/subscriptions",
    ),
    "trial_end_unpaid": NoticeKind(
        subject=gettext_noop("Your trial has ended, and the plan after it could not be paid"),
        action=gettext_noop("Choose a plan"),
        link="/{account_id}/billing/subscriptions",
    ),
}
