"""Notices: what customers were told by e-mail, and what still has to be."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import Account, Notice
from accounts.notices.compose import compose
from accounts.notices.kinds import KINDS
from config.panel.cells import NOTHING, Tone, badge, code, lines, link, moment, number
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Facts, Page


def notice_page(notice: Notice) -> Page:
    """Return the page of one notice: what it says, word for word, and whether it was sent."""
    message = compose(notice)
    return Page(
        title=str(message.subject),
        subtitle=_state(notice),
        sections=[
            Facts("What it says", [("Text", lines(*(part for part in message.body.splitlines() if part.strip())))]),
        ],
        aside=[
            Facts(
                "To whom",
                [
                    ("Account", link(Account, notice.account_id, notice.account.name)),
                    ("Addresses", lines(*message.to) or "nobody: there is no address"),
                    ("Language", notice.language),
                    ("About", code(notice.about)),
                    ("Kind", notice.kind),
                ],
            ),
            Facts(
                "Times",
                [
                    ("Written", moment(notice.created_at)),
                    ("Sent", moment(notice.sent_at)),
                    ("Given up", moment(notice.given_up_at)),
                    ("Tried next", moment(notice.next_at) if _waits(notice) else NOTHING),
                    ("Failed tries", number(notice.attempts)),
                ],
            ),
        ],
    )


class HowItStands(admin.SimpleListFilter):
    """Those that nobody has got yet."""

    title = "how it stands"
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Not sent yet"), ("given-up", "Given up")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        if self.value() == "waiting":
            return queryset.filter(sent_at__isnull=True, given_up_at__isnull=True)
        return queryset.filter(given_up_at__isnull=False) if self.value() == "given-up" else queryset


@admin.register(Notice)
class NoticePanel(ReadOnlyPanel):
    title = "Notices"
    page_of = notice_page
    list_filter = (HowItStands,)
    list_display = ("subject", "state", "account_link", "about", "written", "sent")
    list_select_related = ("account",)
    exact_fields = ("pk", "account_id")
    search_help_text = "Account id"
    ordering = ("-created_at",)

    @admin.display(description="Subject")
    def subject(self, notice: Notice) -> str:
        return KINDS[notice.kind].subject if notice.kind in KINDS else notice.kind

    @admin.display(description="State")
    def state(self, notice: Notice) -> SafeString:
        return _state(notice)

    @admin.display(description="Account")
    def account_link(self, notice: Notice) -> SafeString:
        return link(Account, notice.account_id, notice.account.name)

    @admin.display(description="Written")
    def written(self, notice: Notice) -> SafeString:
        return moment(notice.created_at)

    @admin.display(description="Sent")
    def sent(self, notice: Notice) -> SafeString:
        return moment(notice.sent_at)


def _waits(notice: Notice) -> bool:
    return notice.sent_at is None and notice.given_up_at is None


def _state(notice: Notice) -> SafeString:
    if notice.sent_at:
        return badge("sent", Tone.GOOD)
    if notice.given_up_at:
        return badge("given up", Tone.BAD)
    return badge("tried again" if notice.attempts else "to be sent", Tone.WAITING)
