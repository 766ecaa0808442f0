"""iAPI: changes that our own services ask for. Nobody is present to confirm a payment."""

from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.envelope import answer
from accounts.api.scope import ApiView
from accounts.roles import Scope

from ..api.previews import preview_shape
from ..api.subscriptions import shapes_of
from ..api.wants import request_of
from ..api.workflows import workflow_shape
from ..changes_calculator.preview import preview
from ..changes_calculator.request import ChangeRequest, Origin
from ..changes_calculator.submit import submit
from ..models.changes import ChangeWorkflow
from .licences import LicensedSubscriptions, want_of


class ChangesView(ApiView):
    """`/internal/v1/changes`: make a change, paid off-session; all of it or nothing. Safe to repeat."""

    needs = {"POST": Scope.CHANGES_WRITE}

    def post(self, request: Request) -> Response:
        change = _request(request, self.caller.actor)
        result = submit(change)
        return answer(
            {
                "outcome": result.outcome.value,
                "workflow_id": result.workflow_id or None,
                "subscriptions": shapes_of(self.caller, change.wants, change.account_id),
            }
        )


class ChangePreviewView(ApiView):
    """`/internal/v1/changes/preview`: what that change would do and cost."""

    needs = {"POST": Scope.CHANGES_WRITE}

    def post(self, request: Request) -> Response:
        return answer(preview_shape(preview(_request(request, self.caller.actor))))


class WorkflowView(ApiView):
    """`/internal/v1/workflows/{workflow_id}`: how far a change has come, of whatever account."""

    needs = {"GET": Scope.CHANGES_WRITE}

    def get(self, _request: Request, workflow_id: str) -> Response:
        workflow = ChangeWorkflow.objects.filter(pk=workflow_id).first()
        if workflow is None:
            raise Http404
        return answer({"account_id": workflow.account_id} | workflow_shape(workflow, with_secret=False))


def _request(request: Request, actor: str) -> ChangeRequest:
    body = LicensedSubscriptions(data=request.data)
    body.is_valid(raise_exception=True)
    wanted: dict[str, Any] = body.validated_data
    account_id = wanted["account_id"].lower()
    wants = [want_of(each, account_id=account_id) for each in wanted["subscriptions"]]
    return request_of(
        account_id, wants, actor=actor, origin=Origin.IAPI, on_session=False, supersedes=wanted["supersede"]
    )
