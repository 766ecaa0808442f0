"""A change that waits for a payment method: the customer confirms one, and then what is billed by use begins."""

from datetime import datetime, timedelta

from accounts import claim as leases
from accounts import journal
from accounts.lock import account_lock, holds_lock

from ..cfstripe import setup_intents
from ..cfstripe.errors import StripeRefused
from ..cfstripe.shapes import Raw
from ..customers import ensure_customer
from ..models.changes import ChangeWorkflow
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
    (call,) = change.calls
    raw = setup_intents.create({**call.params, "customer": customer_id}, key=f"wf_{workflow.pk}_ask_1")
    with account_lock(workflow.account_id):
        leases.release(
            workflow,
            step=Step.AWAITING_PAYMENT.value,
            next_at=now + LOOK_AGAIN,
            stripe_customer_id=customer_id,
            stripe_setup_intent_id=raw["id"],
            client_secret=raw["client_secret"],
            expires_at=now + LIFETIME,
        )
        waits = journal.Fact("change.awaiting_payment", workflow.account_id, workflow.actor, cause=workflow.pk)
        journal.emit(waits, at=now)


def method_confirmed(raw: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Commit the change that waits for this setup intent, in the caller's transaction under the account's lock.

    Returns whether there was one.
    """
    assert holds_lock(account_id)
    if raw["status"] != SUCCEEDED:
        return False
    workflow = ChangeWorkflow.objects.filter(
        account=account_id, stripe_setup_intent_id=raw["id"], finished_at__isnull=True
    ).first()
    return workflow is not None and commit_unpaid(workflow, ChangeSet.from_json(workflow.plan), now=now)


def look_for_method(workflow: ChangeWorkflow, *, now: datetime) -> bool:
    """See whether the customer has confirmed: commit then, or wait on; False if it is to be given up."""
    raw = setup_intents.retrieve(workflow.stripe_setup_intent_id)
    if raw["status"] == SUCCEEDED:
        commit_unpaid(workflow, ChangeSet.from_json(workflow.plan), now=now)
        return True
    if raw["status"] != "canceled" and workflow.expires_at is not None and now < workflow.expires_at:
        leases.release(workflow, next_at=min(now + LOOK_AGAIN, workflow.expires_at))
        return True
    return False


def give_up_method(workflow: ChangeWorkflow, *, now: datetime) -> bool:
    """
    Let nobody confirm any more; False if somebody was faster, and the change is committed.

    Stripe's answer decides: only what it has cancelled is given up.
    """
    try:
        setup_intents.cancel(workflow.stripe_setup_intent_id, key=f"wf_{workflow.pk}_cancel_1")
    except StripeRefused:
        if setup_intents.retrieve(workflow.stripe_setup_intent_id)["status"] == SUCCEEDED:
            commit_unpaid(workflow, ChangeSet.from_json(workflow.plan), now=now)
            return False
    return True
