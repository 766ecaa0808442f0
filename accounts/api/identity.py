"""Who one is, and the accounts one belongs to."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.create_account import open_account, rename_account
from accounts.models import Account
from accounts.roles import Permission
from billing.close_account import close_account
from config import clock

from .body import ExactBoolean, ExactString
from .envelope import answer, page_of, rfc3339
from .paging import choice_of, paging_of
from .scope import AccountView, ApiView


class NewAccount(serializers.Serializer[Any]):
    name = ExactString(max_length=160)
    type = ExactString(required=False)
    standalone = ExactBoolean(required=False)
    unit = serializers.JSONField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is asked for and would not be so: nothing that somebody sends is passed over in silence."""
        if attrs.get("type", Account.Type.STANDARD) != Account.Type.STANDARD:
            raise serializers.ValidationError({"type": "Only standard accounts are opened here."})
        if not attrs.get("standalone", True):
            raise serializers.ValidationError({"standalone": "This must be true, or be left out."})
        if attrs.get("unit"):
            raise serializers.ValidationError({"unit": "There are no organizations here. Leave it out."})
        return attrs


class ChangedAccount(serializers.Serializer[Any]):
    """`account` of the context is the one that is changed."""

    id = ExactString(required=False)
    name = ExactString(max_length=160)
    type = ExactString(required=False)
    managed_by = serializers.JSONField(required=False)
    settings = serializers.JSONField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse to change what is not the customer's to change."""
        account = self.context["account"]
        if attrs.get("id", account.pk).lower() != account.pk:
            raise serializers.ValidationError({"id": "This is another account's. Send the id of the path."})
        if attrs.get("type", account.type) != account.type:
            raise serializers.ValidationError({"type": "The type can't be changed here. Contact your account team."})
        for name in ("managed_by", "settings"):
            if attrs.get(name):
                raise serializers.ValidationError({name: "This is not kept here. Leave it out."})
        return attrs


class TokenVerificationView(ApiView):
    """`/user/tokens/verify`: a token that is not active does not get this far."""

    needs = {"GET": None}

    def get(self, _request: Request) -> Response:
        caller = self.caller
        return answer({"id": caller.token_id, "status": "active", "expires_on": rfc3339(caller.expires_at)})


class AccountsView(ApiView):
    """`/accounts`: those of the caller, by name; `name` finds one by its whole name. POST opens one, once per name."""

    needs = {"GET": Permission.READ, "POST": Permission.ACT_FOR_ONESELF}

    def get(self, request: Request) -> Response:
        paging = paging_of(request)
        mine = self.caller.accounts_where(Permission.READ)
        accounts = Account.objects.filter(pk__in=mine, closed_at__isnull=True)
        if name := request.query_params.get("name"):
            accounts = accounts.filter(name=name)
        sign = "" if choice_of(request, "direction", ("asc", "desc")) == "asc" else "-"
        page = accounts.order_by(f"{sign}name", f"{sign}pk")[paging.start : paging.end]
        return page_of(
            [account_shape(account) for account in page],
            page=paging.page,
            per_page=paging.per_page,
            total_count=accounts.count(),
        )

    def post(self, request: Request) -> Response:
        body = NewAccount(data=request.data)
        body.is_valid(raise_exception=True)
        caller = self.caller
        assert caller.person_id is not None, "a service is no member of any account"
        account = open_account(
            caller.person_id,
            name=body.validated_data["name"],
            token_id=caller.token_id,
            actor=caller.actor,
            now=clock.now(),
        )
        return answer(account_shape(account))


class OneAccountView(AccountView):
    """`/accounts/{account_id}`; PUT gives it another name, DELETE closes it, and what is paid for runs to its end."""

    needs = {"GET": Permission.READ, "PUT": Permission.ADMINISTER, "DELETE": Permission.ADMINISTER}

    def get(self, _request: Request, account_id: str) -> Response:
        return answer(account_shape(Account.objects.get(pk=account_id)))

    def put(self, request: Request, account_id: str) -> Response:
        body = ChangedAccount(data=request.data, context={"account": Account.objects.get(pk=account_id)})
        body.is_valid(raise_exception=True)
        name = body.validated_data["name"]
        return answer(account_shape(rename_account(account_id, name=name, actor=self.caller.actor, now=clock.now())))

    def delete(self, _request: Request, account_id: str) -> Response:
        close_account(account_id, actor=self.caller.actor, now=clock.now())
        return answer({"id": account_id})


def account_shape(account: Account) -> dict[str, Any]:
    """Return an account."""
    return {
        "id": account.pk,
        "name": account.name,
        "type": account.type,
        "created_on": rfc3339(account.created_at),
    }
