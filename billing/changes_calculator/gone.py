"""What a change was for is not there any more when it is to be committed."""

from accounts.models import Account

from ..models.changes import ChangeWorkflow
from .request import Refusal

OBJECT_GONE = Refusal("object_gone", "What the change was for is gone.")
ACCOUNT_CLOSED = Refusal("account_closed", "The account is closed.")


def gone(workflow: ChangeWorkflow) -> Refusal:
    """Return why `workflows.end` would not let an unfinished change be committed; one statement."""
    is_closed = Account.objects.filter(pk=workflow.account_id, closed_at__isnull=False).exists()
    return ACCOUNT_CLOSED if is_closed else OBJECT_GONE
