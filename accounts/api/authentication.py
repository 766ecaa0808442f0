"""Who is calling: a bearer token, looked up by its digest together with the roles of the person who holds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken
from accounts.roles import Permission, Role, Scope, may
from accounts.tokens import digest
from config import clock


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever holds a valid token. `roles` are the accounts it reaches; a service's token has no person and no role."""

    token_id: str
    expires_at: datetime | None
    person_id: str | None
    scopes: frozenset[Scope]
    roles: Mapping[str, Role]
    is_authenticated: bool = True

    @property
    def actor(self) -> str:
        """The caller as the journal names it."""
        return f"customer:{self.person_id}" if self.person_id else f"service:{self.token_id}"

    def may(self, permission: Permission, account_id: str) -> bool:
        """Return whether the caller may do this in this account; no role there, no permission."""
        role = self.roles.get(account_id)
        return role is not None and may(role, self.scopes, permission)

    def serves(self, scope: Scope) -> bool:
        """Return whether this is a service that may do this: a person is none, whatever the token says."""
        return self.person_id is None and scope in self.scopes

    def accounts_where(self, permission: Permission) -> list[str]:
        """Return the ids of the accounts in which the caller may do this."""
        return sorted(account_id for account_id in self.roles if self.may(permission, account_id))


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`. One statement, however many accounts the person belongs to."""

    def authenticate(self, request: Request) -> tuple[Caller, str] | None:
        """
        Return the caller and the token's id; None without the header.

        :raises AuthenticationFailed: the token is unknown, expired or revoked; nobody learns which.
        """
        words = get_authorization_header(request).split()
        if not words:
            return None
        if len(words) != 2 or words[0].lower() != b"bearer":
            raise AuthenticationFailed
        caller = find_caller(words[1].decode("latin-1"), machine_now=clock.machine_now())
        if caller is None:
            raise AuthenticationFailed
        return caller, caller.token_id

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  the framework's signature
        """Name the scheme: with it a missing or bad token is 401, without it the framework would say 403."""
        return 'Bearer realm="client/v4"'


def find_caller(token: str, *, machine_now: datetime) -> Caller | None:
    """Return who holds this token, None unless it is valid now: a token protects a process, so in machine time."""
    rows = list(
        ApiToken.objects.filter(digest=digest(token)).values_list(
            "id",
            "expires_at",
            "revoked_at",
            "person_id",
            "scopes",
            "account_ids",
            "person__memberships__account_id",
            "person__memberships__role",
        )
    )
    if not rows:
        return None
    token_id, expires_at, revoked_at, person_id, scopes, account_ids, *_ = rows[0]
    if revoked_at is not None or (expires_at is not None and expires_at <= machine_now):
        return None
    return Caller(
        token_id=token_id,
        expires_at=expires_at,
        person_id=person_id,
        scopes=frozenset(Scope(scope) for scope in scopes),
        roles={
            account_id: Role(role)
            for *_, account_id, role in rows
            if account_id is not None and (account_ids is None or account_id in account_ids)
        },
    )
