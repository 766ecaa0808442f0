"""A change that waits for its customer is given up, because another is wanted or its time is over."""

from datetime import datetime

from django.db.models import QuerySet

from accounts import claim as leases
from accounts.lock import AccountBusy

from ..models.changes import ChangeClaim, ChangeWorkflow
from ..models.invoices import BillingSchedule
from .forgotten import UNCLEAR
from .request import Refusal
from .steps import Step
from .sync_save import run

ANOTHER_CHANGE = Refusal(
    "change_abandoned", "It was given up before it was paid, because another change was wanted. Nothing was charged."
)
PERIOD_ENDS = Refusal(
    "change_abandoned", "It was given up before it was paid, because the billing period ended. Nothing was charged."
)
BY_AN_AGENT = Refusal("change_abandoned", "It was given up before it was paid. Nothing was charged.")


def abandon(workflow_id: str, because: Refusal, *, now: datetime) -> None:
    """
    Give a change up: its invoice is voided first, so that nobody can pay for it, and it ends ABANDONED.

    Stripe's answer decides: one that was paid meanwhile is committed instead. Not in a transaction; safe to repeat.

    :raises AccountBusy: it is being made this moment.
    :raises PaymentUnavailable: Stripe does not answer; it is given up later, by itself.
    """
    workflow = leases.take(ChangeWorkflow, workflow_id)
    if workflow is None:
        raise AccountBusy("The change that waits is just being made. Ask again in a moment.")
    if workflow.finished_at is not None:
        leases.give_back(workflow)
        return
    if can_be_given_up(workflow):
        leases.renew(workflow, step=Step.STOPPING.value, refusal_code=because.code, refusal_message=because.message)
    run(workflow, now=now)


def can_be_given_up(workflow: ChangeWorkflow) -> bool:
    """Whether it waits: for its customer, or for somebody who says that nothing came of it."""
    return workflow.step == Step.AWAITING_PAYMENT.value or workflow.refusal_code == UNCLEAR.code


def give_up_waiting(schedule: BillingSchedule, *, now: datetime) -> None:
    """Give up what waits for its customer on this clock: its period ends. Raises what `abandon` does."""
    for workflow in ChangeWorkflow.objects.filter(claims__in=claims_on(schedule), step=Step.AWAITING_PAYMENT.value):
        abandon(workflow.pk, PERIOD_ENDS, now=now)


def claims_on(schedule: BillingSchedule) -> QuerySet[ChangeClaim]:
    """Return what unfinished changes hold of this clock."""
    return ChangeClaim.objects.filter(account=schedule.account_id, resource=f"clock:{schedule.interval}")
