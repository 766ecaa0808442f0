"""Changes on their way, and those that ended: what was asked, what was planned, how far it came."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.models import Account, Zone
from billing.changes_calculator.steps import Step
from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.invoices import Invoice
from billing.models.objectproducts import Ope
from billing.objectproducts.phases import Phase
from config.panel.cells import NOTHING, amount, badge, code, lines, link, moment, number, tree, with_note
from config.panel.readonly import ReadOnlyPanel
from config.panel.sections import Card, Facts, Page, Table

from .change_acts import ABANDON, RESUME
from .words import STEPS, billed, request_in_words

CHANGE_HEADERS = ("Step", "Asked for", "Due now", "Since", "Given up at")


def change_row(workflow: ChangeWorkflow) -> Sequence[object]:
    """Return the cells of one change, under CHANGE_HEADERS."""
    return (
        with_note(step_badge(workflow), STEPS[Step(workflow.step)][1]),
        link(ChangeWorkflow, workflow.pk, request_in_words(workflow.request)),
        due_now(workflow),
        moment(workflow.requested_at),
        moment(workflow.expires_at),
    )


def change_page(workflow: ChangeWorkflow) -> Page:
    """Return the page of one change: what was asked, the plan with its exact calls, and how it ended."""
    tone, meaning = STEPS[Step(workflow.step)]
    plan: dict[str, Any] = workflow.plan or {}
    invoice = Invoice.objects.filter(workflow=workflow).first()
    claims = ChangeClaim.objects.filter(workflow=workflow).order_by("pk")[:100]
    return Page(
        title=request_in_words(workflow.request).capitalize(),
        subtitle=with_note(step_badge(workflow), meaning),
        cards=[
            Card("Due now", due_now(workflow), "before tax"),
            Card("Attempts to pay", number(workflow.payment_tries), f"path: {_words(plan.get('path', 'unknown'))}"),
            Card("Outcome", _outcome(workflow), workflow.refusal_message, tone),
        ],
        sections=[
            Table(
                "What it changes",
                ("Product", "Attached to", "Before", "After", "Why"),
                [_element_row(element) for element in plan.get("elements", ())],
                "It changes nothing.",
            ),
            Table(
                "What it bills",
                ("Line", "Price", "Quantity", "Unit amount", "Amount"),
                [_line_row(line, plan["currency"]) for line in plan.get("lines", ())],
                "It bills nothing.",
            ),
            Table(
                "What it asks of Stripe",
                ("Call", "With"),
                [(code(call["operation"]), tree(call["params"])) for call in plan.get("calls", ())],
                "It calls nothing.",
            ),
        ],
        aside=[
            Facts(
                "Where it belongs",
                [
                    ("Account", link(Account, workflow.account_id, workflow.account.name)),
                    ("Invoice", link(Invoice, invoice.pk, invoice) if invoice else NOTHING),
                    ("Change id", code(workflow.pk)),
                    ("Came through", workflow.origin),
                    ("Asked by", workflow.actor),
                    ("Holds", lines(*(claim.resource for claim in claims)) or NOTHING),
                ],
            ),
            Facts(
                "At Stripe",
                [
                    ("Customer", code(workflow.stripe_customer_id)),
                    ("Invoice", code(workflow.stripe_invoice_id)),
                    ("Payment intent", code(workflow.stripe_payment_intent_id)),
                    ("Subscription", _subscription(workflow.stripe_subscription or {})),
                ],
            ),
            Facts(
                "Times",
                [
                    ("Asked for", moment(workflow.requested_at)),
                    ("Looked at next", moment(workflow.next_at) if workflow.finished_at is None else NOTHING),
                    ("Given up at", moment(workflow.expires_at)),
                    ("Ended", moment(workflow.finished_at)),
                ],
            ),
        ],
    )


class HowItStands(admin.SimpleListFilter):
    """Those that wait, and those that came to nothing."""

    title = "how it stands"
    parameter_name = "stands"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("failed", "Came to nothing")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ChangeWorkflow]) -> QuerySet[ChangeWorkflow]:
        if self.value() == "waiting":
            return queryset.filter(finished_at__isnull=True)
        if self.value() == "failed":
            return queryset.filter(finished_at__isnull=False).exclude(step=Step.COMMITTED.value)
        return queryset


@admin.register(ChangeWorkflow)
class ChangePanel(ReadOnlyPanel):
    title = "Changes"
    page_of = change_page
    acts = (RESUME, ABANDON)
    list_filter = (HowItStands,)
    list_display = ("asked_for", "step_shown", "due", "origin", "account_link", "requested", "ended")
    list_select_related = ("account",)
    exact_fields = ("pk", "account_id", "stripe_invoice_id", "stripe_payment_intent_id")
    search_help_text = "Change id, account id, in_… or pi_…"
    ordering = ("-requested_at",)

    @admin.display(description="Asked for")
    def asked_for(self, workflow: ChangeWorkflow) -> str:
        return request_in_words(workflow.request)

    @admin.display(description="Step")
    def step_shown(self, workflow: ChangeWorkflow) -> SafeString:
        return step_badge(workflow)

    @admin.display(description="Due now")
    def due(self, workflow: ChangeWorkflow) -> object:
        return due_now(workflow)

    @admin.display(description="Account")
    def account_link(self, workflow: ChangeWorkflow) -> SafeString:
        return link(Account, workflow.account_id, workflow.account.name)

    @admin.display(description="Since")
    def requested(self, workflow: ChangeWorkflow) -> SafeString:
        return moment(workflow.requested_at)

    @admin.display(description="Ended")
    def ended(self, workflow: ChangeWorkflow) -> SafeString:
        return moment(workflow.finished_at)


def step_badge(workflow: ChangeWorkflow) -> SafeString:
    """Return the step as a badge."""
    return badge(_words(workflow.step), STEPS[Step(workflow.step)][0])


def due_now(workflow: ChangeWorkflow) -> object:
    """Return what the plan charges at once, as a cell."""
    plan = workflow.plan or {}
    return amount(plan["due_now_minor"], plan["currency"]) if "due_now_minor" in plan else NOTHING


def _subscription(stored: dict[str, Any]) -> SafeString:
    """Return what tells a subscription from others; Stripe's answer has a hundred lines more."""
    return tree({name: stored.get(name) for name in ("id", "status")})


def _outcome(workflow: ChangeWorkflow) -> str:
    if workflow.finished_at is None:
        return "waiting"
    return _words(workflow.refusal_code or workflow.step)


def _element_row(element: dict[str, Any]) -> Sequence[object]:
    before = Phase.from_json(element["before"]) if element["before"] else None
    after = Phase.from_json(element["after"]) if element["after"] else None
    is_zone, kind = element["object_kind"] == "zone", element["object_kind"]
    return (
        element["product"] if element["is_new"] else link(Ope, element["ope_id"], element["product"]),
        link(Zone, element["object_id"], "zone") if is_zone else f"the {kind}",
        with_note(before.value, billed(before)) if before else NOTHING,
        with_note(after.value, billed(after)) if after else "removed",
        element["why"],
    )


def _line_row(line: dict[str, Any], currency: str) -> Sequence[object]:
    return (
        line["description"],
        code(line["price_id"]),
        number(line["quantity"]),
        amount(line["unit_amount_minor"], currency),
        amount(line["amount_minor"], currency),
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
