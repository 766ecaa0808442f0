"""The accounts one belongs to, and as what."""

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.create_account import leave_account
from accounts.models import Member
from accounts.roles import Permission
from config import clock

from .authentication import Caller
from .body import ExactString
from .envelope import answer, page_of
from .identity import account_shape
from .paging import choice_of, paging_of
from .scope import ApiView

# Every membership is accepted: there is no invitation to wait for.
ORDERS = {"id": "pk", "account.name": "account__name", "status": "pk"}


class Decision(serializers.Serializer[Any]):
    status = ExactString()

    def validate_status(self, status: str) -> str:
        """Accept what is accepted; to reject it later is to leave, and is asked for by that name."""
        if status == "rejected":
            raise serializers.ValidationError("It is accepted already. DELETE the membership to leave the account.")
        if status != "accepted":
            raise serializers.ValidationError("This must be accepted or rejected.")
        return status


class MembershipsView(ApiView):
    """`/memberships`: the caller's own, in the accounts that the token reaches. `name` is the account's."""

    needs = {"GET": Permission.READ}

    def get(self, request: Request) -> Response:
        paging = paging_of(request)
        members = _of(self.caller).select_related("account")
        if name := request.query_params.get("account.name") or request.query_params.get("name"):
            members = members.filter(account__name=name)
        if choice_of(request, "status", ("accepted", "pending", "rejected")) != "accepted":
            members = members.none()
        column = ORDERS[choice_of(request, "order", tuple(ORDERS))]
        sign = "" if choice_of(request, "direction", ("asc", "desc")) == "asc" else "-"
        page = members.order_by(f"{sign}{column}", f"{sign}pk")[paging.start : paging.end]
        return page_of(
            [_shape(member, self.caller) for member in page],
            page=paging.page,
            per_page=paging.per_page,
            total_count=members.count(),
        )


class MembershipView(ApiView):
    """`/memberships/{membership_id}`: one of the caller's own. DELETE leaves the account."""

    needs = {"GET": Permission.READ, "PUT": Permission.ACT_FOR_ONESELF, "DELETE": Permission.ACT_FOR_ONESELF}

    def get(self, _request: Request, membership_id: str) -> Response:
        return answer(_shape(self._mine(membership_id, Permission.READ), self.caller))

    def put(self, request: Request, membership_id: str) -> Response:
        member = self._mine(membership_id, Permission.ACT_FOR_ONESELF)
        Decision(data=request.data).is_valid(raise_exception=True)
        return answer(_shape(member, self.caller))

    def delete(self, _request: Request, membership_id: str) -> Response:
        member = self._mine(membership_id, Permission.ACT_FOR_ONESELF)
        leave_account(member.account_id, member_id=member.pk, actor=self.caller.actor, now=clock.now())
        return answer({"id": member.pk})

    def _mine(self, membership_id: str, permission: Permission) -> Member:
        member: Member | None = _of(self.caller, permission).select_related("account").filter(pk=membership_id).first()
        if member is None:
            raise Http404
        return member


def _of(caller: Caller, permission: Permission = Permission.READ) -> Any:
    return Member.objects.filter(person=caller.person_id, account__in=caller.accounts_where(permission))


def _shape(member: Member, caller: Caller) -> dict[str, Any]:
    """`permissions` say what this token may do: the role and its scopes together."""
    changes = any(
        caller.may(permission, member.account_id) for permission in (Permission.CHANGE_SUBSCRIPTIONS, Permission.PAY)
    )
    return {
        "id": member.pk,
        "account": account_shape(member.account),
        "api_access_enabled": None,
        "permissions": {"billing": {"read": caller.may(Permission.READ, member.account_id), "write": changes}},
        "roles": [member.role.replace("_", " ").capitalize()],
        "status": "accepted",
    }
