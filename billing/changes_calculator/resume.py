"""Changes that others left behind, and those whose payment somebody else tells us of."""

from datetime import datetime

import structlog

from accounts.claim import LeaseLost, claim, give_back
from accounts.lock import AccountBusy, holds_lock

from ..cfstripe.shapes import Raw, read_invoice
from ..models.changes import ChangeWorkflow
from .change_set import ChangeSet
from .request import PaymentUnavailable
from .steps import Step
from .sync_save import commit, look, run

logger = structlog.get_logger()


def resume_due(*, now: datetime, limit: int = 20) -> int:
    """
    Take up to `limit` unfinished changes on that nobody is working on, and return how many were looked at.

    One that fails is tried again later and holds up no other.
    """
    due = claim(ChangeWorkflow, "finished_at IS NULL", now=now, limit=limit)
    for workflow in due:
        try:
            resume(workflow, now=now)
        except (PaymentUnavailable, LeaseLost):
            continue  # it is due again by itself, or somebody else has it
        except AccountBusy:
            give_back(workflow, for_seconds=0.1)
        except Exception as error:  # noqa: BLE001  one change that can't go on must not stop the others
            logger.error("workflow.resume_failed", workflow=workflow.pk, step=workflow.step, error=type(error).__name__)
    return len(due)


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
