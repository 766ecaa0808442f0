"""Views that begin with what the caller may see: the account or zone of the path is resolved once, here."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import Http404
from rest_framework.exceptions import MethodNotAllowed, PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import Zone
from accounts.roles import Permission, Scope
from accounts.throttle import admit
from config import clock

from .authentication import Caller
from .body import AlwaysJson, BoundedJSONParser, refuse_large_body
from .paging import refuse_strange_query


class ApiView(APIView):
    """
    A view under `/client/v4` or `/internal/v1`.

    `needs` names for each method what it asks for: the permission of a person, or the scope of a service's token;
    None: any valid token will do. A method that is not named is not allowed, so an endpoint can't be opened by
    forgetting to guard it.
    """

    needs: ClassVar[Mapping[str, Permission | Scope | None]] = {}
    caller: Caller
    parser_classes = [BoundedJSONParser]
    content_negotiation_class = AlwaysJson
    metadata_class = None
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what can be refused without the database, then authenticate, authorise, and count the request."""
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in self.needs:
            raise MethodNotAllowed(str(request.method))
        refuse_large_body(request)
        super().initial(request, *args, **kwargs)
        self.caller = request.user  # type: ignore[assignment]  # ours, of authentication.py
        self.authorise(self.needs[method], **kwargs)
        refuse_strange_query(request)
        account_id = self.zone.account_id if isinstance(self, ZoneView) else str(kwargs.get("account_id", ""))
        admit(token_id=self.caller.token_id, account_id=account_id, method=method, machine_now=clock.machine_now())

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Nobody on the way keeps an answer: some hold the secrets of payments."""
        return super().default_response_headers | {"Cache-Control": "no-store"}

    def authorise(self, need: Permission | Scope | None, **_path: str) -> None:
        """
        Say no unless the caller may.

        :raises PermissionDenied: there is no account in which the caller may do this, or no service calls.
        """
        match need:
            case Permission():
                is_allowed = bool(self.caller.accounts_where(need))
            case Scope():
                is_allowed = self.caller.serves(need)
            case None:
                is_allowed = True
        if not is_allowed:
            raise PermissionDenied


class AccountView(ApiView):
    """A view under `/accounts/{account_id}`. An account that doesn't exist looks like one that is not the caller's."""

    def authorise(self, need: Permission | Scope | None, **path: str) -> None:
        """
        :raises PermissionDenied: not the caller's account, or the role or the token's scopes don't allow it.
        """
        assert isinstance(need, Permission), "an account's views always ask for a permission"
        if not self.caller.may(need, path["account_id"]):
            raise PermissionDenied


class ZoneView(ApiView):
    """A view under `/zones/{zone_id}`; `zone` comes with its account. One statement finds it among the caller's."""

    zone: Zone

    def authorise(self, need: Permission | Scope | None, **path: str) -> None:
        """
        :raises Http404: no such zone, or somebody else's.
        :raises PermissionDenied: the role or the token's scopes don't allow it.
        """
        assert isinstance(need, Permission), "a zone's views always ask for a permission"
        mine = Zone.objects.filter(account__in=list(self.caller.roles), deleted_at__isnull=True)
        zone = mine.select_related("account").filter(pk=path["zone_id"]).first()
        if zone is None:
            raise Http404
        if not self.caller.may(need, zone.account_id):
            raise PermissionDenied
        self.zone = zone
