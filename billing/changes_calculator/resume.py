"""Changes that others left behind, and those whose payment somebody else tells us of."""

from datetime import datetime
from functools import partial

from accounts.claim import claim
from accounts.lock import holds_lock
from accounts.sweep import sweep
from config import wake

from ..cfstripe.errors import StripeUnavailable
from ..cfstripe.shapes import Raw, read_invoice
from ..models.changes import ChangeWorkflow
from . import workflows
from .change_set import ChangeSet
from .request import PaymentUnavailable
from .steps import Step
from .sync_save import commit, look, run


def resume_due(*, now: datetime, limit: int = 20) -> int:
    """Take up to `limit` unfinished changes on that nobody is working on, and return how many were looked at."""
    due = claim(ChangeWorkflow, "finished_at IS NULL", now=now, limit=limit)
    return sweep(due, partial(resume, now=now), now=now, passing=(PaymentUnavailable, StripeUnavailable))


def resume(workflow: ChangeWorkflow, *, now: datetime) -> None:
    """Take one leased change on from where it stands."""
    if workflow.step == Step.AWAITING_PAYMENT.value:
        look(workflow, now=now)
    else:
        run(workflow, now=now)


def payment_confirmed(raw_invoice: Raw, *, account_id: str, now: datetime) -> bool:
    """
    Commit the change that waits for this invoice, in the caller's transaction under the account's lock.

    Returns whether there was one; a change that its own thread is just committing is left to whoever is first.
    """
    assert holds_lock(account_id)
    facts = read_invoice(raw_invoice)
    if not facts.is_paid:
        return False
    workflow = ChangeWorkflow.objects.filter(
        account=account_id, stripe_invoice_id=facts.id, finished_at__isnull=True
    ).first()
    if workflow is None:
        return False
    return commit(workflow, ChangeSet.from_json(workflow.plan), raw_invoice, now=now)


def pending_update_decided(subscription_id: str, *, account_id: str, now: datetime) -> bool:
    """
    Have the change that waits on this subscription looked at soon: its pending update was applied, or given up.

    Which of the two is Stripe's to say when it is looked at. In the caller's transaction under the account's lock;
    returns whether a change waits.
    """
    waits = workflows.make_due(account_id, stripe_subscription__id=subscription_id, now=now)
    if waits:
        wake.wake("billing.resume_workflows")
    return waits
