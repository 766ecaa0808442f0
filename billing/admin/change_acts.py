"""What agents can do about changes that wait: have them looked at again, or given up."""

from datetime import datetime

from accounts.lock import AccountBusy
from billing.changes_calculator.by_hand import look_again
from billing.changes_calculator.request import PaymentUnavailable
from billing.changes_calculator.steps import Step
from billing.changes_calculator.supersede import BY_AN_AGENT, abandon, can_be_given_up
from billing.models.changes import ChangeWorkflow
from config.panel.acts import Act, ActRefused, Asked, Preview
from config.panel.cells import amount, lines, number
from config.panel.roles import Permission

from .words import STEPS, request_in_words


def _due(workflow: ChangeWorkflow) -> object:
    plan = workflow.plan or {}
    return amount(plan["due_now_minor"], plan["currency"]) if "due_now_minor" in plan else number(0)


def _what(asked: Asked[ChangeWorkflow]) -> list[tuple[str, object]]:
    workflow = asked.row
    return [
        ("Change", request_in_words(workflow.request)),
        ("Stands at", STEPS[Step(workflow.step)][1]),
        ("Holds until then", lines(*workflow.claims.order_by("pk").values_list("resource", flat=True)[:20])),
    ]


def _why_not_resume(workflow: ChangeWorkflow, at: datetime) -> str:
    if workflow.finished_at is not None:
        return "it has ended"
    return "it is being looked at already" if workflow.next_at <= at else ""


RESUME: Act[ChangeWorkflow] = Act(
    name="resume",
    label="Resume",
    sentence="Have the change looked at again now: what Stripe says of its payment decides how it goes on.",
    permission=Permission.SUPPORT,
    why_not=_why_not_resume,
    preview=lambda asked: Preview(
        money=[("If it is paid", "nothing more is charged"), ("If it is not", "the customer still has to confirm it")],
        access=[("If it is paid", "the customer gets what they paid for")],
        also=_what(asked),
    ),
    do=lambda asked: _resume(asked),
)


def _resume(asked: Asked[ChangeWorkflow]) -> str:
    look_again(asked.row, actor=asked.actor, now=asked.at)
    return "The change is due again."


def _why_not_abandon(workflow: ChangeWorkflow, at: datetime) -> str:
    if workflow.finished_at is not None:
        return "it has ended"
    return "" if can_be_given_up(workflow) else "it is being made; only one that waits can be"


def _abandon(asked: Asked[ChangeWorkflow]) -> str:
    """:raises ActRefused: Stripe is silent, or somebody is making the change this moment."""
    try:
        abandon(asked.row.pk, BY_AN_AGENT, now=asked.at)
    except (AccountBusy, PaymentUnavailable) as busy:
        raise ActRefused(str(busy)) from busy
    asked.row.refresh_from_db()
    if asked.row.step == Step.COMMITTED.value:
        return "It was paid in the meantime, and is in effect."
    return "The change was given up. Nothing was charged."


ABANDON: Act[ChangeWorkflow] = Act(
    name="abandon",
    label="Abandon",
    sentence="Give the change up: its invoice is voided, so that nobody can pay for it any more.",
    permission=Permission.SUPPORT,
    why_not=_why_not_abandon,
    preview=lambda asked: Preview(
        money=[("Voided", _due(asked.row)), ("Charged", "nothing, unless it was paid this moment")],
        access=[("Stays", "what the account has now")],
        also=_what(asked),
    ),
    do=_abandon,
    is_final=True,
)
