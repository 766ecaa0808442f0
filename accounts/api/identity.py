"""Who one is, and the accounts one belongs to."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Account
from accounts.roles import Permission

from .envelope import answer, page_of, rfc3339
from .paging import choice_of, paging_of
from .scope import AccountView, ApiView


class TokenVerificationView(ApiView):
    """`/user/tokens/verify`: a token that is not active does not get this far."""

    needs = {"GET": None}

    def get(self, _request: Request) -> Response:
        caller = self.caller
        return answer({"id": caller.token_id, "status": "active", "expires_on": rfc3339(caller.expires_at)})


class AccountsView(ApiView):
    """`/accounts`: those of the caller, by name. `name` finds one by its whole name."""

    needs = {"GET": Permission.READ}

    def get(self, request: Request) -> Response:
        paging = paging_of(request)
        accounts = Account.objects.filter(pk__in=self.caller.accounts_where(Permission.READ))
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


class OneAccountView(AccountView):
    """`/accounts/{account_id}`."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request, account_id: str) -> Response:
        return answer(account_shape(Account.objects.get(pk=account_id)))


def account_shape(account: Account) -> dict[str, Any]:
    """Return an account."""
    return {
        "id": account.pk,
        "name": account.name,
        "type": account.type,
        "created_on": rfc3339(account.created_at),
    }
