"""How often was each card tried in vain lately? Card networks count every try, whatever it was for."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

from ..models.invoices import PaymentAttempt
from .attempts import NOT_ATTEMPTED
from .declines import AUTHENTICATION_REQUIRED, CAP_PERIOD, CAP_TRIES, PAYMENT_DECLINED

FAILED = (PaymentAttempt.Status.FAILED.value, PaymentAttempt.Status.ACTION_REQUIRED.value)
# How a change ends that a bank refused to pay for: its invoice was voided, so there is no attempt of it.
REFUSED = (PAYMENT_DECLINED.code, AUTHENTICATION_REQUIRED.code)

# A card that was stored twice is still one card to its network.
_TRIES = """
    SELECT method.account_id, method.brand, method.last4, count(*) AS tries
    FROM (
        SELECT method_id FROM payment_attempt
        WHERE account_id = ANY(%s) AND status = ANY(%s) AND code <> %s AND started_at > %s
        UNION ALL
        SELECT plan ->> 'method_id' FROM change_workflow
        WHERE account_id = ANY(%s) AND refusal_code = ANY(%s) AND requested_at > %s
    ) tried
    JOIN payment_method method ON method.id = tried.method_id
    GROUP BY 1, 2, 3
"""
_OF_TIRED_CARDS = f"""
    SELECT method.id FROM ({_TRIES}) card JOIN payment_method method USING (account_id, brand, last4)
    WHERE card.tries >= %s
"""  # noqa: S608  nothing but the text above


def tries_of_cards(account_id: str, *, now: datetime) -> Counter[tuple[str, str]]:
    """
    Return how often each card of the account failed within the cap's period, by (brand, last four digits).

    Renewals and purchases both count. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TRIES, _values([account_id], now))
        return Counter({(brand, last4): tries for _, brand, last4, tries in cursor.fetchall()})


def methods_of_tired_cards(account_ids: Sequence[str], *, now: datetime) -> RawSQL:
    """Return the ids, as a part of another statement, of these accounts' methods whose card failed too often lately."""
    return RawSQL(_OF_TIRED_CARDS, [*_values(account_ids, now), CAP_TRIES])  # noqa: S611  no input in its text


def _values(account_ids: Sequence[str], now: datetime) -> list[Any]:
    since, ids = now - CAP_PERIOD, list(account_ids)
    return [ids, list(FAILED), NOT_ATTEMPTED, since, ids, list(REFUSED), since]
