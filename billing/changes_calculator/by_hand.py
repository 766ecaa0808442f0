"""Somebody has a change that waits looked at again."""

from datetime import datetime

from accounts import journal
from accounts.lock import account_lock
from config import wake

from ..models.changes import ChangeWorkflow


def look_again(workflow: ChangeWorkflow, *, actor: str, now: datetime) -> None:
    """Make an unfinished change due now: the sweep takes it on from where it stands. Safe to repeat."""
    with account_lock(workflow.account_id):
        if ChangeWorkflow.objects.filter(pk=workflow.pk, finished_at__isnull=True).update(next_at=now):
            after = {"workflow_id": workflow.pk, "step": workflow.step}
            fact = journal.Fact("change.made_due", workflow.account_id, actor, cause=workflow.pk, after=after)
            journal.emit(fact, at=now)
            wake.wake("billing.resume_workflows")
