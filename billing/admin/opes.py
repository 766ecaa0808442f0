"""OPEs: what an account owns, component by component, with the state that the five signals mean."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, TextField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import Account, Zone
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import Invoice, InvoiceLine
from billing.models.objectproducts import Ope
from billing.objectproducts.phases import Phase
from billing.objectproducts.state import STATE_SQL, OpeState
from config.panel.cells import NOTHING, amount, badge, code, link, moment, nowrap, number, period, with_note
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Facts, Page, Table

from .licence_acts import END
from .scheduled_act import TAKE_BACK
from .words import STATES, billed, licence_in_words

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

OPE_HEADERS = ("State", "Product", "Now", "Next period", "Billed by")


class Derived(TypedDict):
    """What `with_state` adds to a row."""

    derived_state: str
    zone_name: str | None


def with_state(opes: QuerySet[Ope]) -> "QuerySet[WithAnnotations[Ope, Derived]]":
    """Add the derived state, as PostgreSQL computes it, and the name of the zone that each is attached to."""
    zone = Zone.objects.filter(pk=OuterRef("object_id")).values("name")[:1]
    return opes.annotate(derived_state=RawSQL(STATE_SQL, [], TextField()), zone_name=Subquery(zone))  # noqa: S611  a constant


def ope_row(ope: "WithAnnotations[Ope, Derived]") -> Sequence[object]:
    """Return the cells of one OPE out of `with_state`, under OPE_HEADERS."""
    return (
        state_badge(ope),
        with_note(link(Ope, ope.pk, ope.product), attached_to(ope)),
        _phase(ope.current),
        with_note(ope.scheduled.value, f"from {ope.scheduled.starts_at:%Y-%m-%d}") if ope.scheduled else NOTHING,
        with_note(licence_in_words(ope.license_source_id), code(ope.license_source_id)),
    )


def ope_page(ope: "WithAnnotations[Ope, Derived]") -> Page:
    """Return the page of one OPE: its state, the five signals that it comes from, and what was billed for it."""
    state = OpeState(ope.derived_state)
    tone, meaning = STATES[state]
    phases = [phase for phase in (ope.current, ope.scheduled) if phase]
    billed_lines = InvoiceLine.objects.filter(ope=ope).select_related("invoice").order_by("-pk")[:20]
    return Page(
        title=f"{ope.product} on {ope.zone_name or 'the account'}",
        subtitle=with_note(badge(state.value.replace("_", " "), tone), meaning),
        sections=[
            Facts(
                "The five signals",
                [
                    (
                        "Existence",
                        with_note(
                            "removed" if ope.deleted_date else "live",
                            moment(ope.deleted_date) if ope.deleted_date else "",
                        ),
                    ),
                    ("Current value", with_note(ope.current.value, billed(ope.current))),
                    (
                        "Scheduled value",
                        with_note(ope.scheduled.value, billed(ope.scheduled))
                        if ope.scheduled
                        else "nothing is scheduled",
                    ),
                    (
                        "Billing relation",
                        with_note(licence_in_words(ope.license_source_id), code(ope.license_source_id)),
                    ),
                    (
                        "In flight",
                        link(ChangeWorkflow, ope.workflow_id, ope.workflow_id)
                        if ope.workflow_id
                        else "no change holds it",
                    ),
                ],
            ),
            Table(
                "Phases",
                ("Value", "Rank", "Plan", "Price", "Unit amount", "Billed quantity", "Amount", "Period"),
                [_phase_row(phase) for phase in phases],
                "",
            ),
            Table(
                "What was billed for it",
                ("Invoice", "Line", "Quantity", "Amount", "Period"),
                [
                    (
                        link(Invoice, line.invoice_id, line.invoice),
                        line.description,
                        number(line.quantity),
                        amount(line.amount_minor, line.invoice.currency),
                        period(line.period_start, line.period_end),
                    )
                    for line in billed_lines
                ],
                "Nothing was billed for it.",
            ),
        ],
        aside=[
            Facts(
                "Where it belongs",
                [
                    ("Account", link(Account, ope.account_id, ope.account.name)),
                    ("Attached to", attached_to(ope)),
                    ("Subscription", code(ope.subscription_id)),
                    ("OPE", code(ope.pk)),
                    ("Kind", ope.get_kind_display()),
                    ("Created", moment(ope.created_date)),
                ],
            ),
        ],
    )


@admin.register(Ope)
class OpePanel(ReadOnlyPanel):
    title = "OPEs"
    page_of = ope_page
    acts = (TAKE_BACK, END)
    list_display = ("name", "state", "attached", "value", "licence", "account_link", "created")
    list_select_related = ("account",)
    exact_fields = ("pk", "account_id", "subscription_id")
    search_help_text = "OPE id, account id or subscription id"
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[WithAnnotations[Ope, Derived]]":
        return with_state(super().get_queryset(request))

    @admin.display(description="Product")
    def name(self, ope: Ope) -> str:
        return ope.product

    @admin.display(description="State")
    def state(self, ope: "WithAnnotations[Ope, Derived]") -> SafeString:
        return state_badge(ope)

    @admin.display(description="Attached to")
    def attached(self, ope: "WithAnnotations[Ope, Derived]") -> object:
        return attached_to(ope)

    @admin.display(description="Now")
    def value(self, ope: Ope) -> SafeString:
        return _phase(ope.current)

    @admin.display(description="Billed by")
    def licence(self, ope: Ope) -> str:
        return licence_in_words(ope.license_source_id)

    @admin.display(description="Account")
    def account_link(self, ope: Ope) -> SafeString:
        return link(Account, ope.account_id, ope.account.name)

    @admin.display(description="Created")
    def created(self, ope: Ope) -> SafeString:
        return moment(ope.created_date)


def state_badge(ope: "WithAnnotations[Ope, Derived]") -> SafeString:
    """Return the derived state as a badge."""
    return badge(ope.derived_state.replace("_", " "), STATES[OpeState(ope.derived_state)][0])


def attached_to(ope: "WithAnnotations[Ope, Derived]") -> object:
    """Return the zone's name with a link to it, the domain's name, or that it is the account."""
    if ope.object_kind == "domain":
        return str(ope.current.value)
    return link(Zone, ope.object_id, ope.zone_name) if ope.zone_name else "the account"


def _phase(phase: Phase) -> SafeString:
    return with_note(phase.value, nowrap(billed(phase)))


def _phase_row(phase: Phase) -> Sequence[object]:
    return (
        phase.value,
        number(phase.rank),
        phase.rate_plan_id,
        code(phase.price_id),
        amount(phase.unit_amount_minor, phase.currency),
        number(phase.billed_quantity),
        amount(phase.amount_minor, phase.currency),
        period(phase.starts_at, phase.ends_at),
    )
