"""Dunning: who owes and what is done about it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import AccountType
from config import clock
from config.panel.cells import moment, number
from config.panel.readonly import ReadOnlyPanel

from ..decide import ROWS
from ..models.conclusions import SubsDunning
from .acts import FORGIVE, RECOMPUTE
from .why_page import why_page
from .words import LEVELS, STATUSES, status_badge


class Choice(admin.SimpleListFilter):
    """A filter by one column; its choices stand in a table of ours, so that nothing is read to offer them."""

    column: str
    choices_of: Sequence[tuple[str, str]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return self.choices_of

    def queryset(self, request: HttpRequest, queryset: QuerySet[SubsDunning]) -> QuerySet[SubsDunning]:
        value = self.value()
        return queryset.filter(**{self.column: value}) if value else queryset


class ByStatus(Choice):
    title, parameter_name, column = "status", "status", "status"
    choices_of = [(status, status.replace("_", " ").capitalize()) for status in STATUSES if status]


class ByRule(Choice):
    title, parameter_name, column = "rule", "rule", "because"
    choices_of = [(row.because, row.because.capitalize()) for row in ROWS]


class ByType(Choice):
    title, parameter_name, column = "account type", "type", "account__subs_account__account_type"
    choices_of = AccountType.choices


class ByAge(admin.SimpleListFilter):
    """How long ago it was decided."""

    title = "decided"
    parameter_name = "decided"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "In the last day"), ("7", "In the last week"), ("-30", "More than 30 days ago")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SubsDunning]) -> QuerySet[SubsDunning]:
        if self.value() not in ("1", "7", "-30"):
            return queryset
        days = int(str(self.value()))
        since = clock.now() - timedelta(days=abs(days))
        return queryset.filter(decided_at__lt=since) if days < 0 else queryset.filter(decided_at__gte=since)


@admin.register(SubsDunning)
class DunningPanel(ReadOnlyPanel):
    title = "Dunning"
    page_of = why_page
    acts = (RECOMPUTE, FORGIVE)
    list_filter = (ByStatus, ByRule, ByType, ByAge)
    list_display = (
        "account_name", "type_shown", "status_shown", "because", "level_shown", "retries", "looks_again", "decided",
    )  # fmt: skip
    list_select_related = ("account__subs_account",)
    exact_fields = ("pk",)
    search_help_text = "Account id"
    ordering = ("-decided_at",)

    @admin.display(description="Account")
    def account_name(self, row: SubsDunning) -> str:
        return row.account.name

    @admin.display(description="Type")
    def type_shown(self, row: SubsDunning) -> str:
        return row.account.subs_account.get_account_type_display()

    @admin.display(description="Status")
    def status_shown(self, row: SubsDunning) -> SafeString:
        return status_badge(row.status)

    @admin.display(description="Level")
    def level_shown(self, row: SubsDunning) -> str:
        return f"{row.level}: {LEVELS[row.level]}"

    @admin.display(description="Failed charges")
    def retries(self, row: SubsDunning) -> SafeString:
        return number(row.retry_count)

    @admin.display(description="Looked at again")
    def looks_again(self, row: SubsDunning) -> SafeString:
        return moment(row.recompute_at)

    @admin.display(description="Decided")
    def decided(self, row: SubsDunning) -> SafeString:
        return moment(row.decided_at)
