"""Domains: what the registrar asked to be paid, and messages of the registrar's that nobody could act on."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import Account, SubsStuckEvent
from billing.models.changes import ChangeWorkflow
from billing.models.domains import DomainCharge, DomainEvent, PoisonMessage
from billing.queues.domain_events import replay_poison
from billing.queues.read_event import BadEvent, RegistrarEvent, read_event
from config.panel.acts import Act, ActRefused, Asked, Preview
from config.panel.cells import NOTHING, Tone, badge, code, day, link, list_link, moment, number
from config.panel.readonly import ReadOnlyPanel
from config.panel.roles import Permission
from config.panel.sections import Facts, Page, Table


def charge_page(charge: DomainCharge) -> Page:
    """Return the page of one charge: for what, how it went, and what the registrar told of the domain."""
    change = link(ChangeWorkflow, charge.workflow_id, "the last try") if charge.workflow_id else NOTHING
    events = DomainEvent.objects.filter(domain=charge.domain, account=charge.account_id).order_by("-occurred_at")[:20]
    return Page(
        title=str(charge),
        subtitle=_outcome(charge),
        sections=[
            Facts(
                "What is to be paid",
                [
                    ("Domain", charge.domain),
                    ("Because it was", charge.kind.replace("_", " ")),
                    ("Years", number(charge.years)),
                    ("Paid until then", day(charge.expires_at)),
                    ("In time before", day(charge.renews_at) if charge.renews_at else NOTHING),
                ],
            ),
            Table(
                "What the registrar told",
                ("Event", "Happened", "Came of it"),
                [(event.kind.replace("_", " "), moment(event.occurred_at), event.outcome) for event in events],
                "Nothing yet.",
            ),
        ],
        aside=[
            Facts(
                "How it went",
                [
                    ("Account", link(Account, charge.account_id, charge.account.name)),
                    ("Refused", number(charge.tries)),
                    ("Change", change),
                    ("Tried next", moment(charge.next_at) if charge.ended_at is None else NOTHING),
                    ("Ended", moment(charge.ended_at)),
                ],
            ),
        ],
    )  # fmt: skip


class HowItStands(admin.SimpleListFilter):
    """Those that are to be paid, and those that nobody paid."""

    title = "how it stands"
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "To be paid"), ("failed", "Not paid")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DomainCharge]) -> QuerySet[DomainCharge]:
        if self.value() == "waiting":
            return queryset.filter(ended_at__isnull=True)
        if self.value() == "failed":
            return queryset.filter(ended_at__isnull=False).exclude(outcome="paid")
        return queryset


@admin.register(DomainCharge)
class DomainChargePanel(ReadOnlyPanel):
    title = "Domain charges"
    page_of = charge_page
    list_filter = (HowItStands,)
    list_display = ("domain", "state", "asked_by", "years", "until", "tries", "account_link")
    list_select_related = ("account",)
    exact_fields = ("pk", "account_id", "domain", "workflow_id")
    search_help_text = "Domain, account id or change id"
    ordering = ("-expires_at",)

    @admin.display(description="State")
    def state(self, charge: DomainCharge) -> SafeString:
        return _outcome(charge)

    @admin.display(description="Because it was")
    def asked_by(self, charge: DomainCharge) -> str:
        return charge.kind.replace("_", " ")

    @admin.display(description="Paid until then")
    def until(self, charge: DomainCharge) -> SafeString:
        return day(charge.expires_at)

    @admin.display(description="Account")
    def account_link(self, charge: DomainCharge) -> SafeString:
        return link(Account, charge.account_id, charge.account.name)


def _outcome(charge: DomainCharge) -> SafeString:
    if charge.ended_at is None:
        return badge("tried again" if charge.tries else "to be paid", Tone.WAITING)
    return badge(charge.outcome.replace("_", " "), Tone.GOOD if charge.outcome == "paid" else Tone.BAD)


def _event(poison: PoisonMessage) -> RegistrarEvent | BadEvent:
    """Return what a message says, or what is wrong with it; of its text nothing is shown that nobody asked for."""
    try:
        return read_event(poison.body)
    except BadEvent as error:
        return error


def poison_page(poison: PoisonMessage) -> Page:
    """Return the page of one message: what can be read of it, and where it waits."""
    said = _event(poison)
    read: list[tuple[str, object]] = [("Can't be read", str(said)), ("Length", number(len(poison.body)))]
    if not isinstance(said, BadEvent):
        read = [
            ("Event", said.kind.value.replace("_", " ")),
            ("Domain", said.domain),
            ("Account", link(Account, said.account_id, said.account_id)),
            ("Happened", moment(said.occurred_at)),
            ("Expires", day(said.expires_at)),
        ]
    return Page(
        title=poison.pk,
        subtitle=badge("kept aside", Tone.BAD),
        sections=[Facts("What it says", read)],
        aside=[
            Facts(
                "Where it waits",
                [
                    ("Message", code(poison.pk)),
                    ("Kept since", moment(poison.kept_at)),
                    ("Why", list_link(SubsStuckEvent, "its stuck event", q=poison.pk)),
                ],
            ),
        ],
    )


def _preview(asked: Asked[PoisonMessage]) -> Preview:
    """:raises ActRefused: nobody can read it, so nobody can act on it."""
    said = _event(asked.row)
    if isinstance(said, BadEvent):
        raise ActRefused(f"It can't be read: {said}. Have the registrar send it again.")
    return Preview(
        money=[
            ("May be charged", f"what {said.kind.value.replace('_', ' ')} of {said.domain} costs, unless it is paid")
        ],
        access=[("May change", f"what the account has of {said.domain}")],
    )


def _replay(asked: Asked[PoisonMessage]) -> str:
    """:raises ActRefused: it failed again."""
    worked, _ = replay_poison([asked.row.pk], now=asked.at)
    if not worked:
        raise ActRefused("It failed again. The log says why; it stays here.")
    return "The message was acted on."


REPLAY: Act[PoisonMessage] = Act(
    name="replay",
    label="Act on it again",
    sentence="Act on this message of the registrar's once more, now that what was in its way is mended.",
    permission=Permission.OPERATE,
    preview=_preview,
    do=_replay,
)


@admin.register(PoisonMessage)
class PoisonMessagePanel(ReadOnlyPanel):
    title = "Messages kept aside"
    page_of = poison_page
    acts = (REPLAY,)
    list_display = ("identifier", "says", "kept")
    exact_fields = ("pk",)
    search_help_text = "The message's id"
    ordering = ("pk",)

    @admin.display(description="Message")
    def identifier(self, poison: PoisonMessage) -> SafeString:
        return code(poison.pk)

    @admin.display(description="Says")
    def says(self, poison: PoisonMessage) -> str:
        said = _event(poison)
        return f"unreadable: {said}" if isinstance(said, BadEvent) else f"{said.kind.value} {said.domain}"

    @admin.display(description="Since")
    def kept(self, poison: PoisonMessage) -> SafeString:
        return moment(poison.kept_at)
