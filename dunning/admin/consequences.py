"""What follows from decisions outside: each act with its outcome, and how fast each kind may run."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import Account
from billing.models.invoices import Invoice
from config.panel.cells import NOTHING, Tone, badge, code, link, moment, nowrap, number, tree, with_note
from config.panel.readonly import ReadOnlyPanel
from config.panel.roles import Permission
from config.panel.sections import Facts, Overview, Page, Table

from ..consequence_kinds import KINDS, Consequence
from ..models.actions import DunningAction, DunningBrake, DunningRollout, ProcessorOutage
from ..models.conclusions import SubsDunning
from .brake_acts import BRAKE, DECLARE, END

ACTION_HEADERS = ("What", "Outcome", "Invoice", "Asked for", "Done", "Tries")


def action_row(action: DunningAction) -> Sequence[object]:
    """Return the cells of one action, under ACTION_HEADERS."""
    return (
        with_note(link(DunningAction, action.pk, _name(action.kind)), _told(action)),
        outcome(action),
        link(Invoice, action.invoice_id, nowrap(str(action.invoice))) if action.invoice_id else NOTHING,
        moment(action.asked_at),
        moment(action.done_at),
        number(action.attempts + (action.done_at is not None)),
    )


def _told(action: DunningAction) -> str:
    """What a notice tells, and how urgently."""
    told, level = str(action.facts.get("told", "")).replace("_", " "), action.facts.get("level")
    return f"{told}, level {level}" if told and level else told


def outcome(action: DunningAction) -> SafeString:
    if action.done_at is None:
        return badge("waits", Tone.WAITING if not action.attempts else Tone.BAD)
    if action.refused_code:
        return with_note(badge("not done", Tone.QUIET), action.refused_code)
    return badge("done", Tone.GOOD)


def _name(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def action_page(action: DunningAction) -> Page:
    """Return the page of one action: what it is about, and how it went."""
    return Page(
        title=_name(action.kind),
        subtitle=with_note(outcome(action), KINDS[Consequence(action.kind)].in_words),
        sections=[
            Facts(
                "What it is about",
                [
                    ("Account", link(Account, action.account_id, action.account.name)),
                    ("Why", link(SubsDunning, action.account_id, action.decision.because)),
                    ("Invoice", link(Invoice, action.invoice_id, action.invoice) if action.invoice_id else NOTHING),
                    ("Facts", tree(action.facts) if action.facts else NOTHING),
                    ("Once per", code(action.identity)),
                ],
            ),
        ],
        aside=[
            Facts(
                "How it went",
                [
                    ("Asked for", moment(action.asked_at)),
                    ("Tried next", moment(action.next_at) if action.done_at is None else NOTHING),
                    ("Failed tries", number(action.attempts)),
                    ("Ended", moment(action.done_at)),
                    ("Not done because", action.refused_code or NOTHING),
                ],
            ),
        ],
    )


def brakes_page(_permissions: frozenset[Permission]) -> Page:
    """Return how fast each kind may run, whether the processor answers, and for how many accounts the brain acts."""
    brakes = {brake.kind: brake for brake in DunningBrake.objects.all()}
    undone = DunningAction.objects.filter(done_at__isnull=True).values_list("kind")
    waiting = dict(undone.annotate(waiting=Count("pk")).order_by())
    outages = ProcessorOutage.objects.order_by("-started_at")[:20]
    rollout = DunningRollout.objects.first()
    return Page(
        title="Brakes",
        subtitle="What is stopped is not lost: it waits, and goes on when the brake is off.",
        sections=[
            Table(
                "What follows from debt, in the order in which it is done",
                ("What", "In words", "Brake", "Wait now", "Set by", "Since"),
                [_brake_row(kind, brakes.get(kind.value), waiting.get(kind.value, 0)) for kind in Consequence],
                "Nothing follows.",
            ),
            Table(
                "Outages: times that age nobody",
                ("Processor", "From", "Until", "Noticed by"),
                [(row.processor, moment(row.started_at), _until(row), row.actor) for row in outages],
                "None is known.",
            ),
        ],
        aside=[
            Facts(
                "For whom the brain acts",
                [
                    ("Accounts", f"{rollout.percent} %" if rollout else "100 %"),
                    ("Only looks", "yes" if rollout and rollout.is_observe_only else "no"),
                ],
            )
        ],
    )


def _until(outage: ProcessorOutage) -> SafeString:
    return moment(outage.ended_at) if outage.ended_at else badge("lasts", Tone.BAD)


def _brake_row(kind: Consequence, brake: DunningBrake | None, waiting: int) -> Sequence[object]:
    if brake is None:
        stands = badge("free", Tone.GOOD)
    elif brake.is_stopped:
        stands = badge("stopped", Tone.BAD)
    else:
        stands = badge(f"{brake.limit_per_hour} an hour", Tone.WAITING)
    since = (brake.actor, moment(brake.changed_at)) if brake else (NOTHING, NOTHING)
    waits = number(waiting) if KINDS[kind].is_outside else NOTHING
    return (_name(kind.value), KINDS[kind].in_words, stands, waits, *since)


class HowItStands(admin.SimpleListFilter):
    """Those that wait, those that failed and are tried again, and those that were not done."""

    title = "how it stands"
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waits"), ("failing", "Fails and is tried again"), ("refused", "Not done")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DunningAction]) -> QuerySet[DunningAction]:
        if self.value() == "waiting":
            return queryset.filter(done_at__isnull=True)
        if self.value() == "failing":
            return queryset.filter(done_at__isnull=True, attempts__gt=0)
        return queryset.exclude(refused_code="") if self.value() == "refused" else queryset


class ByKind(admin.SimpleListFilter):
    title = "what"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.value, _name(kind.value)) for kind, row in KINDS.items() if row.is_outside]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DunningAction]) -> QuerySet[DunningAction]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(DunningAction)
class ConsequencePanel(ReadOnlyPanel):
    title = "Consequences"
    page_of = action_page
    list_acts = (BRAKE, DECLARE, END)
    overviews = (Overview("brakes", "Brakes", brakes_page),)
    list_filter = (HowItStands, ByKind)
    list_display = ("what", "outcome_shown", "account_link", "invoice_link", "asked", "done", "next_try")
    list_select_related = ("account", "invoice", "decision")
    exact_fields = ("pk", "account_id")
    search_help_text = "Account id"
    ordering = ("-next_at", "-pk")

    @admin.display(description="What")
    def what(self, action: DunningAction) -> str:
        return _name(action.kind)

    @admin.display(description="Outcome")
    def outcome_shown(self, action: DunningAction) -> SafeString:
        return outcome(action)

    @admin.display(description="Account")
    def account_link(self, action: DunningAction) -> SafeString:
        return link(Account, action.account_id, action.account.name)

    @admin.display(description="Invoice")
    def invoice_link(self, action: DunningAction) -> object:
        return link(Invoice, action.invoice_id, action.invoice) if action.invoice_id else NOTHING

    @admin.display(description="Asked for")
    def asked(self, action: DunningAction) -> SafeString:
        return moment(action.asked_at)

    @admin.display(description="Done")
    def done(self, action: DunningAction) -> SafeString:
        return moment(action.done_at)

    @admin.display(description="Tried next")
    def next_try(self, action: DunningAction) -> object:
        return moment(action.next_at) if action.done_at is None else NOTHING
