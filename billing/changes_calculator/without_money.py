"""Changes that nobody pays for and that Stripe is told of all the same; committed once it has taken them."""

from datetime import datetime
from typing import Protocol

from accounts import claim as leases
from accounts import journal
from accounts.lock import account_lock

from ..cfstripe import subscriptions
from ..cfstripe.errors import StripeRefused
from ..invoicing.clock import end_schedule
from ..models.changes import ChangeWorkflow
from ..models.invoices import BillingSchedule
from ..payments.declines import PROCESSOR_REFUSED
from ..payments.paths import PaymentPath
from . import workflows
from .change_set import ChangeSet
from .gone import gone
from .request import Refusal
from .save import NOBODY, save_elements
from .scheduled import save_scheduled
from .steps import Step


class BeginsWithoutMoney(Protocol):
    """How a leased change is begun that asks for no money."""

    def __call__(self, workflow: ChangeWorkflow, change: ChangeSet, *, now: datetime) -> None: ...


def tell(workflow: ChangeWorkflow, change: ChangeSet, *, now: datetime) -> None:
    """
    Make the calls of a leased change that asks for no money, and commit it.

    Each call has a key of its own, so going over them again changes nothing twice.

    :raises StripeUnavailable: no answer; the change stays where it is.
    """
    try:
        for number, call in enumerate(change.calls, start=1):
            key = f"wf_{workflow.pk}_tell_{number}"
            if call.operation == "subscriptions.cancel":
                subscriptions.cancel(call.object_id, key=key)
            else:
                subscriptions.update(call.object_id, call.params, key=key)
    except StripeRefused:
        refusal = PROCESSOR_REFUSED
        leases.renew(workflow, step=Step.STOPPING.value, refusal_code=refusal.code, refusal_message=refusal.message)
        return
    commit_unpaid(workflow, change, now=now)


def commit_unpaid(workflow: ChangeWorkflow, change: ChangeSet, *, now: datetime) -> bool:
    """
    Write everything that this change means, in one transaction; False if somebody has done so before.

    What waited for a payment method while its zone or the account went is declined instead: nothing was paid.
    """
    waited = change.path is PaymentPath.METHOD_FIRST
    with account_lock(workflow.account_id):
        if not workflows.end(workflow, Step.COMMITTED, zone_ids=change.zone_ids if waited else None, now=now):
            if workflow.finished_at is None:
                _decline(workflow, gone(workflow), now=now)
            return False
        facts = save_elements(workflow.account_id, change.elements, NOBODY, now=now)
        facts += save_scheduled(
            workflow.account_id, change.scheduled, actor=workflow.actor, now=now, replacing=change.elements
        )
        for call in change.calls:
            if call.operation == "subscriptions.cancel":
                end_schedule(BillingSchedule.objects.get(stripe_subscription_id=call.object_id).pk, at=now)
        before, after = {"opes": change.values_before()}, {"workflow_id": workflow.pk, "opes": change.values_after()}
        committed = journal.Fact(
            "change.committed", workflow.account_id, workflow.actor, cause=workflow.pk, before=before, after=after
        )
        journal.emit(committed, *facts, at=now)
    return True


def _decline(workflow: ChangeWorkflow, refusal: Refusal, *, now: datetime) -> None:
    workflows.note_refusal(workflow, refusal)
    workflows.end(workflow, Step.DECLINED, now=now)
    after = {"workflow_id": workflow.pk, "code": refusal.code}
    declined = journal.Fact("change.declined", workflow.account_id, workflow.actor, cause=workflow.pk, after=after)
    journal.emit(declined, at=now)
