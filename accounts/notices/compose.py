"""A notice as an e-mail: who receives it, and its text, plain and as HTML, in the account's language."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from ..models import Member, Notice, SubsAccount
from ..roles import Role
from .kinds import KINDS
from .words import words_of


def compose(notice: Notice) -> EmailMultiAlternatives:
    """
    Return the e-mail, ready to be sent; a few statements, no network.

    The text is written once: `notices/<kind>.txt`, paragraphs with an empty line between. Its Message-ID is the
    notice's own, so that one that is sent twice is recognised as the same.
    """
    kind = KINDS[notice.kind]
    link = (settings.PANEL_URL if kind.to_finance else settings.DASHBOARD_URL) + kind.link.format(
        **notice.facts, account_id=notice.account_id, about=notice.about
    )  # fmt: skip
    with translation.override(notice.language):
        said = {**words_of(notice.facts), "level": notice.level, "account": notice.account.name}
        text = render_to_string(f"notices/{notice.kind}.txt", said)
        page = {
            "subject": translation.gettext(kind.subject),
            "paragraphs": [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())],
            "action": translation.gettext(kind.action),
            "link": link,
            "account": notice.account.name,
            "language": notice.language,
        }
        plain, html = (render_to_string(f"notices/message.{kind}", page) for kind in ("txt", "html"))
    message = EmailMultiAlternatives(
        subject=str(page["subject"]),
        body=plain,
        to=[settings.FINANCE_EMAIL] if kind.to_finance else list(recipients(notice.account_id)),
        headers={
            "Message-ID": f"<notice-{notice.pk}@{urlsplit(settings.DASHBOARD_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
            "Content-Language": notice.language,
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def recipients(account_id: str) -> tuple[str, ...]:
    """Return who is told about an account's billing: its profile's address, and members who look after bills."""
    profile = SubsAccount.objects.filter(account=account_id).values_list("email", flat=True)
    billing = Member.objects.filter(account=account_id, role=Role.BILLING.value).order_by("created_at")
    addresses = (*profile, *billing.values_list("person__email", flat=True))
    return tuple(dict.fromkeys(address.lower() for address in addresses if address))
