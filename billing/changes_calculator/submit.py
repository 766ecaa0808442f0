"""The one entry of the pipeline: every change of every door comes through here."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError

from accounts import claim as leases
from accounts import journal
from accounts.lock import AccountBusy, account_lock

from ..cfstripe.errors import StripeUnavailable
from ..invoicing import credits as customer_credits
from ..models.changes import ChangeWorkflow
from . import workflows
from .change_set import ChangeSet
from .gather import gather
from .in_the_way import in_the_way
from .plan import plan
from .reopen import reopen
from .request import ChangeRefused, ChangeRequest, ChangeResult, Outcome, PaymentDeclined, PaymentUnavailable
from .save import NOBODY, save_elements
from .scheduled import save_scheduled
from .steps import Step
from .supersede import ANOTHER_CHANGE, abandon
from .sync_save import run
from .validate import validate


def submit(request: ChangeRequest) -> ChangeResult:
    """
    Make the change that is asked for, or begin it, and return how far it came.

    Safe to repeat: what is so already is left as it is, and a change that is under way for the same wish is
    joined and taken on. One that still waits for its customer is given up first for a request that says so. Call it
    outside any transaction, unless the change asks for no money.

    :raises ChangeRefused: it breaks rules; all of them are named and nothing was begun.
    :raises PaymentDeclined: the payment was refused and everything taken back.
    :raises PaymentUnavailable: the processor does not answer; the change goes on by itself.
    :raises AccountBusy: somebody is changing the account this moment.
    """
    begun = _begin_whole(request)
    while isinstance(begun, InTheWay):
        for workflow_id in begun.workflow_ids:
            abandon(workflow_id, ANOTHER_CHANGE, now=request.requested_at)
        for schedule_id in begun.closing_ids:
            _open_again(schedule_id, now=request.requested_at)
        begun = _begin_whole(request)
    if isinstance(begun, ChangeResult):
        return begun
    workflow = _joined(begun) if isinstance(begun, str) else begun
    run(workflow, now=request.requested_at)
    return result_of(workflow)


def _open_again(schedule_id: str, *, now: datetime) -> None:
    try:
        reopen(schedule_id, now=now)
    except StripeUnavailable as error:
        raise PaymentUnavailable("The payment processor does not answer. Nothing was begun; ask again.") from error


@dataclass(frozen=True, slots=True)
class InTheWay:
    """What has to go before the change can begin; then the account is looked at anew."""

    workflow_ids: tuple[str, ...] = ()
    closing_ids: tuple[str, ...] = ()


def _begin_whole(request: ChangeRequest) -> "ChangeWorkflow | ChangeResult | InTheWay | str":
    """What `_begin` returns. What goes wrong once it is committed leaves the change to whoever is next, at once."""
    try:
        return _begin(request)
    except (ChangeRefused, AccountBusy):
        raise  # nothing was committed
    except Exception:
        with suppress(DatabaseError):
            leases.let_go(ChangeWorkflow, request.id)
        raise


def _begin(request: ChangeRequest) -> ChangeWorkflow | ChangeResult | InTheWay | str:
    """
    Decide and write down what is to be done, under the account's lock.

    Returns the change that is now this thread's; or what is done already; or what has to go first; or the id of a
    change that is under way for the same wish.
    """
    with account_lock(request.account_id):
        snapshot = gather(request)
        refusals = validate(request, snapshot)
        if refusals:
            raise ChangeRefused(*refusals)
        if waiting := in_the_way(request, snapshot):
            return InTheWay(tuple(waits.workflow_id for waits in waiting))
        joined_id = next((w.workflow_id for w in snapshot.waiting if w.request_digest == request.digest()), "")
        if joined_id:
            return joined_id
        change = plan(request, snapshot)
        if change.is_empty:
            return ChangeResult(Outcome.UNCHANGED)
        if not change.calls:
            return _commit_free(request, change)
        clocks = [schedule for schedule in snapshot.schedules if f"clock:{schedule.interval}" in change.claims]
        # What is left at the end of its period is left as Stripe was told.
        ends = {each.id for each in clocks if each.id in change.left and each.next_at <= request.requested_at}
        if closing := tuple(each.id for each in clocks if each.is_closing and each.id not in ends):
            return InTheWay(closing_ids=closing)
        if any(schedule.is_tidied for schedule in clocks):
            raise AccountBusy("What you bought last is just being finished. Ask again in a moment.")
        workflow = workflows.begin(request, change, stripe_customer_id=snapshot.stripe_customer_id)
        after = {"workflow_id": request.id, "due_now_minor": change.due_now_minor, "currency": change.currency}
        if change.credit_uses:
            customer_credits.reserve(
                request.account_id, change.credit_uses, workflow_id=request.id, now=request.requested_at
            )
        asked = journal.Fact("change.requested", request.account_id, request.actor, cause=request.id, after=after)
        journal.emit(asked, at=request.requested_at)
        return workflow


def result_of(workflow: ChangeWorkflow) -> ChangeResult:
    """
    Return how far a change came.

    :raises PaymentDeclined: it was not made.
    """
    step = Step(workflow.step)
    if step is Step.COMMITTED:
        return ChangeResult(Outcome.COMMITTED, workflow.pk)
    if step is Step.AWAITING_PAYMENT:
        return ChangeResult(Outcome.AWAITING_PAYMENT, workflow.pk, workflow.client_secret)
    raise PaymentDeclined(workflow.refusal_code, workflow.refusal_message, workflow_id=workflow.pk)


def _joined(workflow_id: str) -> ChangeWorkflow:
    """Return the change that wants the same: ours to take on, or one that waits for the customer."""
    workflow = ChangeWorkflow.objects.get(pk=workflow_id)
    if workflow.step == Step.AWAITING_PAYMENT.value or workflow.finished_at is not None:
        return workflow
    taken = leases.take(ChangeWorkflow, workflow_id)
    if taken is None:
        raise AccountBusy("This change is being made right now. Ask again in a moment.")
    return taken


def _commit_free(request: ChangeRequest, change: ChangeSet) -> ChangeResult:
    """Commit what costs nothing now in the transaction that planned it; there is nothing to wait for."""
    facts = save_elements(request.account_id, change.elements, NOBODY, now=request.requested_at)
    facts += save_scheduled(
        request.account_id, change.scheduled, actor=request.actor, now=request.requested_at, replacing=change.elements
    )
    if not change.elements:
        journal.emit(*facts, at=request.requested_at)
        return ChangeResult(Outcome.SCHEDULED)
    before, after = {"opes": change.values_before()}, {"opes": change.values_after()}
    committed = journal.Fact(
        "change.committed", request.account_id, request.actor, cause=request.id, before=before, after=after
    )
    journal.emit(committed, *facts, at=request.requested_at)
    return ChangeResult(Outcome.COMMITTED)
