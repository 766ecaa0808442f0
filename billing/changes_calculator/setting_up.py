"""
A change that waits for a payment method: the customer confirms one. Then what is billed by use begins; and what joins a
clock whose stored methods may not be charged is charged to it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from accounts import claim as leases
from accounts import journal
from accounts.lock import account_lock, holds_lock
from config import wake

from ..cfstripe import payment_methods, setup_intents
from ..cfstripe.errors import StripeRefused
from ..cfstripe.shapes import Raw, id_of
from ..customers import ensure_customer
from ..models.changes import ChangeWorkflow
from ..models.methods import PaymentMethod
from ..payments import methods
from ..payments.paths import PaymentPath
from . import workflows
from .change_set import ChangeSet
from .steps import Step
from .without_money import commit_unpaid

# Stripe's own never expire; a wish that nobody confirms should.
LIFETIME = timedelta(hours=23)
LOOK_AGAIN = timedelta(minutes=10)
SUCCEEDED = "succeeded"


def ask_for_method(workflow: ChangeWorkflow, change: ChangeSet, *, now: datetime) -> None:
    """Give the customer a secret to confirm a method with, and let the change wait for it. Safe to repeat."""
    customer_id = workflow.stripe_customer_id or ensure_customer(workflow.account_id, now=now)
    call = change.calls[0]
    raw = setup_intents.create({**call.params, "customer": customer_id}, key=f"wf_{workflow.pk}_method_1")
    gives_up_at = now + LIFETIME
    if change.path is PaymentPath.METHOD_THEN_UPDATE and change.period_end is not None:
        gives_up_at = min(gives_up_at, change.period_end)  # its amounts are of this period
    with account_lock(workflow.account_id):
        leases.release(
            workflow,
            step=Step.AWAITING_PAYMENT.value,
            next_at=now + LOOK_AGAIN,
            stripe_customer_id=customer_id,
            stripe_setup_intent_id=raw["id"],
            client_secret=raw["client_secret"],
            expires_at=gives_up_at,
        )
        waits = journal.Fact("change.awaiting_payment", workflow.account_id, workflow.actor, cause=workflow.pk)
        journal.emit(waits, at=now)


def method_confirmed(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Commit the change that waits for this setup intent, in the caller's transaction under the account's lock; one that
    is to be paid now is taken up by a worker.

    Returns whether there was one.
    """
    assert holds_lock(account_id)
    if raw["status"] != SUCCEEDED:
        return False
    workflow = ChangeWorkflow.objects.filter(
        account=account_id, stripe_setup_intent_id=raw["id"], finished_at__isnull=True
    ).first()
    if workflow is None:
        return False
    change = ChangeSet.from_json(workflow.plan)
    if change.path is PaymentPath.METHOD_THEN_UPDATE:
        workflows.make_due(account_id, stripe_setup_intent_id=raw["id"], now=now)
        wake.wake("billing.resume_workflows")
        return True
    return commit_unpaid(workflow, change, now=now)


def look_for_method(workflow: ChangeWorkflow, *, now: datetime) -> bool:
    """
    See whether the customer has confirmed: commit then, or wait on; False if it is to be given up.

    A change that is to be paid now is at its first step again, with the method, for the caller to run.
    """
    raw = setup_intents.retrieve(workflow.stripe_setup_intent_id)
    if raw["status"] == SUCCEEDED:
        change = ChangeSet.from_json(workflow.plan)
        if change.path is PaymentPath.METHOD_THEN_UPDATE:
            _go_on_with(str(id_of(raw["payment_method"])), workflow, change, now=now)
        else:
            commit_unpaid(workflow, change, now=now)
        return True
    if raw["status"] != "canceled" and workflow.expires_at is not None and now < workflow.expires_at:
        leases.release(workflow, next_at=min(now + LOOK_AGAIN, workflow.expires_at))
        return True
    return False


def give_up_method(workflow: ChangeWorkflow, *, now: datetime) -> bool:
    """
    Let nobody confirm any more; False if somebody was faster, and the change is committed.

    Stripe's answer decides: only what it has cancelled is given up. Where a confirmed method has charged nothing yet
    it is kept, and the change is given up all the same.
    """
    change = ChangeSet.from_json(workflow.plan)
    try:
        setup_intents.cancel(workflow.stripe_setup_intent_id, key=f"wf_{workflow.pk}_cancel_1")
    except StripeRefused:
        if change.path is PaymentPath.METHOD_THEN_UPDATE:
            return True
        if setup_intents.retrieve(workflow.stripe_setup_intent_id)["status"] == SUCCEEDED:
            commit_unpaid(workflow, change, now=now)
            return False
    return True


def _go_on_with(processor_id: str, workflow: ChangeWorkflow, change: ChangeSet, *, now: datetime) -> None:
    """Have Stripe charge this method, and let a leased change go on as any that joins its clock. Safe to repeat."""
    raw = payment_methods.retrieve(processor_id)
    methods.charge_from_now_on(
        workflow.account_id, workflow.stripe_customer_id, processor_id, key=f"wf_{workflow.pk}_default_1"
    )
    with account_lock(workflow.account_id):
        methods.remember(raw, account_id=workflow.account_id, now=now)
        method = PaymentMethod.objects.get(processor_id=processor_id)
        methods.make_default(method, actor=workflow.actor, now=now)
    paid_with = replace(
        change,
        path=PaymentPath.ON_SESSION_UPDATE,
        calls=change.calls[1:],
        method_id=method.pk,
        method_processor_id=processor_id,
    )
    leases.renew(
        workflow,
        step=Step.PLANNED.value,
        plan=paid_with.to_json(),
        stripe_setup_intent_id="",
        client_secret="",
        expires_at=None,
    )
