"""The accounts one belongs to, and as what."""

from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Member
from accounts.roles import Permission

from .authentication import Caller
from .envelope import answer, page_of
from .identity import account_shape
from .paging import choice_of, paging_of
from .scope import ApiView

# Every membership is accepted: there is no invitation to wait for.
ORDERS = {"id": "pk", "account.name": "account__name", "status": "pk"}


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
    """`/memberships/{membership_id}`: one of the caller's own."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request, membership_id: str) -> Response:
        member = _of(self.caller).select_related("account").filter(pk=membership_id).first()
        if member is None:
            raise Http404
        return answer(_shape(member, self.caller))


def _of(caller: Caller) -> Any:
    return Member.objects.filter(person=caller.person_id, account__in=caller.accounts_where(Permission.READ))


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
