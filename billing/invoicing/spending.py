"""Which credit is spent first. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Spendable:
    """A credit and what of it may be spent now, in minor units of its currency. `expires_at` None: never."""

    id: str
    available_minor: int
    currency: str
    expires_at: datetime | None
    granted_at: datetime


def spend(amount_minor: int, there_is: Iterable[Spendable], *, currency: str) -> tuple[tuple[str, int], ...]:
    """
    Return how much of each credit pays for `amount_minor`, as (id, minor units): the oldest expiry first, those that
    never expire last, of equal ones the first granted. Never more than the amount, nor than there is.
    """
    spent = []
    for credit in sorted(there_is, key=_order):
        part = min(amount_minor, credit.available_minor) if credit.currency == currency else 0
        if part > 0:
            spent.append((credit.id, part))
            amount_minor -= part
    return tuple(spent)


def _order(credit: Spendable) -> tuple[bool, float, datetime, str]:
    expires = credit.expires_at.timestamp() if credit.expires_at else 0.0
    return credit.expires_at is None, expires, credit.granted_at, credit.id
