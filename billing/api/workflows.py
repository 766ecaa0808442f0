"""How far a change has come."""

from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.envelope import answer, rfc3339
from accounts.api.scope import AccountView
from accounts.roles import Permission

from ..changes_calculator.steps import Step
from ..models.changes import ChangeWorkflow

# What a step means to whoever polls.
STATES: dict[Step, str] = {
    Step.PLANNED:          "running",
    Step.PAYING:           "running",
    Step.AWAITING_PAYMENT: "waiting",
    Step.STOPPING:         "stopping",
    Step.REFUNDING:        "refunding",
    Step.COMMITTED:        "committed",
    Step.DECLINED:         "declined",
    Step.EXPIRED:          "expired",
    Step.ABANDONED:        "abandoned",
    Step.REFUNDED:         "refunded",
}  # fmt: skip


class WorkflowView(AccountView):
    """`/accounts/{account_id}/workflows/{workflow_id}`: one change; poll it until `finished_on` is set."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request, account_id: str, workflow_id: str) -> Response:
        workflow = ChangeWorkflow.objects.filter(account=account_id, pk=workflow_id).first()
        if workflow is None:
            raise Http404
        may_act = any(
            self.caller.may(needed, account_id) for needed in (Permission.CHANGE_SUBSCRIPTIONS, Permission.PAY)
        )
        return answer(workflow_shape(workflow, with_secret=may_act))


def workflow_shape(workflow: ChangeWorkflow, *, with_secret: bool) -> dict[str, Any]:
    """Return how far a change has come; the client secret only for who may act on it."""
    return {
        "id": workflow.pk,
        "state": STATES[Step(workflow.step)],
        "changes": [
            {
                "object": {"type": want["object_kind"], "id": want["object_id"]},
                "rate_plan": {"id": want["plan_name"]},
                "frequency": want["interval_name"],
            }
            for want in workflow.request["wants"]
        ],
        "created_on": rfc3339(workflow.requested_at),
        "expires_on": rfc3339(workflow.expires_at),
        "finished_on": rfc3339(workflow.finished_at),
        "client_secret": (workflow.client_secret or None) if with_secret else None,
        "refusal": {"name": workflow.refusal_code, "message": workflow.refusal_message}
        if workflow.refusal_code
        else None,
    }
