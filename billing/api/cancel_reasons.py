"""Why a subscription was cancelled."""

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.body import ExactString
from accounts.api.envelope import answer, rfc3339
from accounts.api.scope import AccountView
from accounts.roles import Permission
from config import clock

from ..cancel_reasons import give_reason, reason_of
from ..models.cancel_reason import CancelReason
from ..subscriptions import subscription_by_id
from .subscriptions import found


class GivenReason(serializers.Serializer[Any]):
    reason_code = serializers.ListField(
        child=ExactString(max_length=80), required=False, allow_null=True, default=list, max_length=20
    )
    other = ExactString(required=False, allow_null=True, allow_blank=True, default="", max_length=2000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse silence."""
        if not attrs["reason_code"] and not attrs["other"]:
            raise serializers.ValidationError("Say why: give reason_code, other, or both.")
        return attrs


class CancelReasonView(AccountView):
    """`/accounts/{account_id}/subscriptions/{subscription_id}/cancel-reason`: say why; read what was said last."""

    needs = {"GET": Permission.READ, "POST": Permission.CHANGE_SUBSCRIPTIONS}

    def get(self, _request: Request, account_id: str, subscription_id: str) -> Response:
        said = reason_of(account_id, subscription_id)
        if said is None:
            raise Http404
        return answer(_shape(said))

    def post(self, request: Request, account_id: str, subscription_id: str) -> Response:
        body = GivenReason(data=request.data)
        body.is_valid(raise_exception=True)
        subscription = found(subscription_by_id([account_id], subscription_id))
        said = give_reason(
            account_id,
            subscription.id,
            reasons=body.validated_data["reason_code"] or [],
            comment=body.validated_data["other"] or "",
            actor=self.caller.actor,
            now=clock.now(),
        )
        return answer(_shape(said))


def _shape(said: CancelReason) -> dict[str, Any]:
    return {
        "id": said.pk,
        "subscription_id": said.subscription_id,
        "reason_code": said.reasons,
        "other": said.comment,
        "submitted": rfc3339(said.created_at),
    }
