"""NinjaPanel: the support console, in the place of Django's admin. What it changes, it changes by acts."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.html import format_html
from unfold.dataclasses import Favicon
from unfold.sites import UnfoldAdminSite

from accounts.admin.search import HINT
from accounts.admin.timeline import EVENT_PROCESSED, timeline
from accounts.models import Account, JournalDelivery, JournalEntry, Notice, SubsStuckEvent, Zone
from billing.admin.papers import paper_view
from billing.changes_calculator.steps import Step
from billing.models.catalog import Price, RatePlan
from billing.models.changes import ChangeWorkflow
from billing.models.credits import Credit
from billing.models.domains import DomainCharge, PoisonMessage
from billing.models.invoices import Invoice
from billing.models.ledger import LedgerTransaction
from billing.models.objectproducts import Ope
from config import clock
from config.api_errors import reasons_of
from config.panel.cells import Tone, link, list_link
from config.panel.sections import Card, Happening, Page, Timeline
from dunning.models.actions import DunningAction
from dunning.models.conclusions import SubsDunning
from entitlements.models import Entitlement
from webhooks.admin.funnel import funnel
from webhooks.models import StripeEvent

# What stands in the sidebar: a heading, and under it kinds of rows with their icons.
NAVIGATION: tuple[tuple[str, tuple[tuple[type[Model], str], ...]], ...] = (
    ("Customers", ((Account, "group"), (Zone, "language"), (Entitlement, "verified_user"))),
    ("Billing", ((Ope, "deployed_code"), (ChangeWorkflow, "published_with_changes"), (DomainCharge, "dns"))),
    ("Money", ((Invoice, "receipt_long"), (Credit, "redeem"), (LedgerTransaction, "menu_book"))),
    ("Debt", ((SubsDunning, "gavel"), (DunningAction, "bolt"))),
    ("Catalogue", ((RatePlan, "sell"), (Price, "payments"))),
    ("Pipe", ((StripeEvent, "inbox"), (SubsStuckEvent, "report"), (PoisonMessage, "unsubscribe"))),
    ("What happened", ((JournalEntry, "history"), (Notice, "mail"), (JournalDelivery, "outgoing_mail"))),
)

# Beyond this a count is not worth its time: "more than" says enough.
COUNTED_TO = 10_000
LATEST = 10


class NinjaPanel(UnfoldAdminSite):  # type: ignore[misc]  # unfold is untyped
    """Where agents look up what an account owns, owes and what happened, and do what they may about it."""

    site_title = "NinjaPanel"
    site_header = "NinjaPanel"
    index_title = "Today"
    index_template = "ninja/index.html"
    login_template = "ninja/login.html"
    site_url = None

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Return the panel's addresses: those of the rows, and the papers that belong to them."""
        papers = path(
            "papers/<str:account_id>/<str:paper_id>/<str:kind>.pdf", self.admin_view(paper_view), name="paper"
        )
        return [papers, *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what every page of the panel is given."""
        context: dict[str, Any] = super().each_context(request)
        return context | {
            "site_title": self.site_title,
            "site_header": self.site_header,
            "site_symbol": "swords",
            "site_url": None,
            "show_history": False,
            "styles": [static("ninja/panel.css")],
            "site_favicons": [Favicon(href=static("ninja/icon.svg"), rel="icon", type="image/svg+xml")],
            "environment": ("sandbox", Tone.WAITING.value) if settings.IS_LOCAL else None,
        }

    def refusal_in_words(self, error: Exception) -> str:
        """Return why something was refused, as the API would say it; empty for a fault of ours."""
        reasons = reasons_of(error)
        if reasons:
            return " ".join(reason.message for reason in reasons)
        return str(error) if isinstance(getattr(error, "code", None), str) else ""

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the sidebar's groups, without what this person may not view."""
        return [
            {"title": heading, "items": [item for item in (self._item(request, *entry) for entry in entries) if item]}
            for heading, entries in NAVIGATION
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show how things stand today, and one box to find an account with."""
        shown = {"page": today(clock.now()), "search": reverse("admin:accounts_account_changelist"), "hint": HINT}
        response: HttpResponse = super().index(request, shown | (extra_context or {}))
        return response

    def _item(self, request: HttpRequest, model: type[Model], icon: str) -> dict[str, Any] | None:
        panel = self._registry[model]
        if not panel.has_view_permission(request):
            return None
        return {
            "title": panel.title,
            "icon": icon,
            "link": panel.list_address,
            "active": request.path.startswith(panel.list_address),
            "has_permission": True,
        }


def today(now: datetime) -> Page:
    """Return what the index page shows: how much of everything, and what happened last, wherever it happened."""
    # Stripe's own news would drown the rest: they are in the journal and in the inbox.
    latest = JournalEntry.objects.exclude(kind=EVENT_PROCESSED).select_related("account").order_by("-pk")[:LATEST]
    return Page(
        title="Today",
        cards=cards_of_today(now),
        sections=[
            funnel(clock.machine_now()),
            Timeline(
                "Latest",
                _told(latest),
                "Nothing happened yet.",
                more=list_link(JournalEntry, "the whole journal"),
            ),
        ],
    )


def _told(entries: Iterable[JournalEntry]) -> list[Happening]:
    """Return entries of many accounts as lines that say whose they are."""
    told = []
    for account, run in groupby(entries, key=lambda entry: entry.account):
        whose = link(Account, account.pk, account.name) if account else "the catalogue or the pipe"
        told += [replace(line, detail=format_html("{} · {}", whose, line.detail)) for line in timeline(run)]
    return told


def cards_of_today(now: datetime) -> list[Card]:
    """Return the index page's numbers; each is one statement that an index answers, whatever the tables' size."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    committed = ChangeWorkflow.objects.filter(step=Step.COMMITTED.value, finished_at__gte=midnight)
    waiting = ChangeWorkflow.objects.filter(finished_at__isnull=True)
    stuck = SubsStuckEvent.objects.filter(resolved_at__isnull=True)
    deliveries = JournalDelivery.objects.all()
    events = StripeEvent.objects.filter(processed_at__isnull=True)
    return [
        Card("Accounts", list_link(Account, about_how_many("account")), "who can buy"),
        _card("Changes paid for", committed, ChangeWorkflow, "since midnight UTC", alarm=None),
        _card("Changes waiting", waiting, ChangeWorkflow, "for a payment, or to be resumed", alarm=Tone.INFO),
        _card("Events to process", events, StripeEvent, "in the inbox", alarm=Tone.INFO),
        _card("Stuck events", stuck, SubsStuckEvent, "need somebody's eyes", alarm=Tone.BAD),
        _card(
            "Undelivered",
            deliveries,
            JournalDelivery,
            "journal entries that somebody must be told of",
            alarm=Tone.WAITING,
        ),
    ]


def about_how_many(table: str) -> str:
    """Return how many rows a table has: exact while that is cheap, else as the planner estimates it. One statement."""
    name = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT reltuples::bigint, CASE WHEN reltuples <= %s THEN
                (SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT %s) counted) END
            FROM pg_class WHERE oid = %s::regclass
            """,  # noqa: S608  the table's name is ours
            [COUNTED_TO, COUNTED_TO + 1, table],
        )
        estimate, exact = cursor.fetchone()
    return f"{exact:,}" if exact is not None and exact <= COUNTED_TO else f"about {max(estimate, COUNTED_TO):,}"


def _card(title: str, rows: QuerySet[Any], model: type[Model], detail: str, *, alarm: Tone | None) -> Card:
    count = rows.order_by().values("pk")[: COUNTED_TO + 1].count()
    answer = f"{count:,}" if count <= COUNTED_TO else f"more than {COUNTED_TO:,}"
    return Card(title, list_link(model, answer), detail, alarm if count and alarm else Tone.GOOD)
