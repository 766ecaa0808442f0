"""Tokens of services: no person holds them, and their scopes say all that they may do."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from . import journal, tokens
from .roles import Scope

SERVICE_SCOPES = tuple(scope for scope in Scope if scope not in tokens.CUSTOMER_SCOPES)


def issue_service_token(*, name: str, scopes: Sequence[Scope], actor: str, now: datetime) -> str:
    """Return a new token for a service, of SERVICE_SCOPES; it can't be read again."""
    assert scopes, "a token that may do nothing is a mistake"
    assert set(scopes) <= set(SERVICE_SCOPES), "what people may do depends on their role, and a service has none"
    with transaction.atomic():
        token = tokens.issue(name=name, person=None, scopes=scopes)
        after = {"prefix": token[: tokens.PREFIX_LENGTH], "scopes": [scope.value for scope in scopes]}
        journal.emit(journal.Fact("token.issued", None, actor, after=after), at=now)
    return token
