"""Dunning: who owes and what is done about it; and one screen that says why an account is treated as it is."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import Account, AccountType
from config import clock
from config.panel.cells import NOTHING, Tone, badge, code, lines, link, list_link, moment, money, number, with_note
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Card, Facts, Page, Table

from .. import why
from ..decide import ROWS
from ..models.actions import DunningAction
from ..models.conclusions import DunningDecision, SubsDunning
from ..recompute import Examined, examine
from .acts import FORGIVE, RECOMPUTE, changes_in_words
from .consequences import ACTION_HEADERS, action_row
from .words import LEVELS, STATUSES, change_in_words

SHOWN = 20


def why_page(row: SubsDunning) -> Page:
    """Return the page of one account: the rule that decided, what each store says, what was done, and the history."""
    (examined,) = examine([row.pk], now=clock.now())
    actions = DunningAction.objects.filter(account=row.pk).select_related("invoice").order_by("-asked_at", "rank")
    decisions = DunningDecision.objects.filter(account=row.pk).order_by("-decided_at", "-pk")[:SHOWN]
    return Page(
        title=f"Why: {row.account.name}",
        subtitle=with_note(status_badge(row.status), row.because),
        cards=_cards(row, examined),
        sections=[
            Table(
                "Rules, from the top: the first that applies decides",
                ("Rule", "Leads to", "Does it apply?"),
                [_rule_row(tried) for tried in why.rows_tried(examined.facts)],
                "There are no rules.",
            ),
            Table(
                "What each store says",
                ("Store", "About", "Says", "Since"),
                [
                    (code(claim.store), claim.about, claim.says, moment(claim.since) if claim.since else NOTHING)
                    for claim in why.claims(examined.facts)
                ],
                "No store says anything.",
            ),
            Table(
                "What is done outside",
                ACTION_HEADERS,
                [action_row(action) for action in actions[:SHOWN]],
                "Nothing had to be done outside.",
                more=list_link(DunningAction, "all of it", q=row.pk),
            ),
            Table(
                "Decisions",
                ("Decided", "Status", "Because", "What it changed", "Cause"),
                [_decision_row(decision) for decision in decisions],
                "Nothing was ever decided.",
            ),
        ],
        aside=[_aside(row, examined)],
    )


def _cards(row: SubsDunning, examined: Examined) -> list[Card]:
    owed = examined.facts.owed
    debts: dict[str, int] = {}
    for invoice in owed:
        debts[invoice.currency] = debts.get(invoice.currency, 0) + invoice.remaining_minor
    tone, meaning = STATUSES[row.status]
    next_at = min((retry.at for retry in examined.decision.retries), default=None)
    drift = changes_in_words(examined)
    return [
        Card("Status", row.status.replace("_", " ").capitalize(), meaning, tone),
        Card(
            "Owed",
            lines(*(money(minor, currency) for currency, minor in debts.items())) or "nothing",
            f"on {len(owed)} invoice{'s' if len(owed) > 1 else ''}" if owed else "every invoice is settled",
            Tone.BAD if owed else Tone.GOOD,
        ),
        Card("Next charge", moment(next_at) if next_at else "none", f"level {row.level}: {LEVELS[row.level]}"),
        Card(
            "Would change now",
            f"{len(drift)} things" if drift else "nothing",
            lines(*drift) if drift else "every store says the same",
            Tone.BAD if drift else Tone.GOOD,
        ),
    ]


def _rule_row(tried: why.Tried) -> Sequence[object]:
    if not tried.is_reached:
        answer = badge("not come to", Tone.QUIET)
    else:
        answer = badge("yes: it decides", Tone.INFO) if tried.applies else badge("no", Tone.QUIET)
    return (tried.because, status_badge(tried.status), answer)


def _decision_row(decision: DunningDecision) -> Sequence[object]:
    changed = [change_in_words(change) for change in decision.diff]
    return (
        moment(decision.decided_at),
        status_badge(decision.status),
        with_note(decision.because, "observed only: nothing was written" if decision.is_observed else ""),
        lines(*changed),
        with_note(code(decision.cause), f"policy {decision.policy_version}"),
    )


def _aside(row: SubsDunning, examined: Examined) -> Facts:
    return Facts(
        "Where it belongs",
        [
            ("Account", link(Account, row.pk, row.account.name)),
            ("Type", examined.facts.account_type),
            ("Treated as", examined.decision.cell.treatment.value),
            ("Policy", number(row.policy_version)),
            ("Decided", moment(row.decided_at)),
            ("Because of", code(row.cause)),
            ("Looked at again", moment(examined.facts.due_at) if examined.facts.due_at else "when something happens"),
            ("Inputs", code(row.inputs_digest[:12])),
        ],
    )


def status_badge(status: str) -> SafeString:
    return badge(status.replace("_", " ") or "hands off", STATUSES[status][0])


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
    list_display = ("account_name", "status_shown", "because", "level_shown", "retries", "looks_again", "decided")
    list_select_related = ("account",)
    exact_fields = ("pk",)
    search_help_text = "Account id"
    ordering = ("-decided_at",)

    @admin.display(description="Account")
    def account_name(self, row: SubsDunning) -> str:
        return row.account.name

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
