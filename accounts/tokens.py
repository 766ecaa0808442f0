"""Bearer tokens: made once, shown once, kept as a digest."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from config import clock

from .models import ApiToken, Person
from .roles import Scope

PREFIX_LENGTH = 8
CUSTOMER_SCOPES = (Scope.BILLING_READ, Scope.BILLING_EDIT)


def digest(token: str) -> str:
    """Return what is stored in place of the token: its SHA-256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def issue(
    *,
    name: str,
    person: Person | None,
    scopes: Iterable[Scope],
    account_ids: Sequence[str] | None = None,
    expires_at: datetime | None = None,
) -> str:
    """
    Store a new token of 256 random bits and return it; nobody can read it again.

    The caller writes the journal entry. `account_ids` None means every account of the person.
    """
    token = secrets.token_urlsafe(32)
    ApiToken.objects.create(
        name=name,
        prefix=token[:PREFIX_LENGTH],
        digest=digest(token),
        person=person,
        account_ids=list(account_ids) if account_ids is not None else None,
        scopes=[scope.value for scope in scopes],
        created_at=clock.machine_now(),
        expires_at=expires_at,
    )
    return token


def reach_of(token_id: str) -> list[str] | None:
    """Return the accounts that a token is limited to; None: every account of its person."""
    account_ids: list[str] | None = ApiToken.objects.values_list("account_ids", flat=True).get(pk=token_id)
    return account_ids


def extend(token_id: str, account_id: str) -> str:
    """
    Let a token that is limited to some accounts reach this one too, and return its prefix.

    The caller has just opened the account for the token's own person, whom it locked, and writes the journal entry.
    """
    token = ApiToken.objects.get(pk=token_id)
    if token.account_ids is not None and account_id not in token.account_ids:
        token.account_ids = [*token.account_ids, account_id]
        token.save(update_fields=["account_ids"])
    return token.prefix
