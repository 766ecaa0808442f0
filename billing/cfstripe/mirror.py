"""The only writer of `stripe_mirror`: the newest state of each object that Stripe showed us."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection
from psycopg.types.json import Jsonb

from ..models.stripe_mirror import StripeMirror
from . import (
    charges,
    credit_notes,
    customers,
    disputes,
    invoices,
    mandates,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
    subscriptions,
)
from .personal import without_personal_data
from .shapes import Raw

_REMEMBER = """
INSERT INTO stripe_mirror (id, kind, account_id, payload, seen_at)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::jsonb[], %s::timestamptz[])
ON CONFLICT (id) DO UPDATE SET
    kind = EXCLUDED.kind, account_id = EXCLUDED.account_id, payload = EXCLUDED.payload, seen_at = EXCLUDED.seen_at
WHERE stripe_mirror.seen_at < EXCLUDED.seen_at
"""


def remember(objects: Iterable[Raw], *, account_id: str, seen_at: datetime) -> bool:
    """
    Keep these objects as they were at `seen_at` (Stripe's clock), unless we have seen them newer.

    One statement, in the caller's transaction with its journal entry. Returns whether any was newer.
    """
    rows = [(raw["id"], raw["object"], account_id, Jsonb(raw), seen_at) for raw in objects]
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, [list(column) for column in zip(*rows, strict=True)])
        return bool(cursor.rowcount)


_FORGET = """
UPDATE stripe_mirror SET payload = emptied.payload
FROM unnest(%s::text[], %s::jsonb[]) AS emptied(id, payload) WHERE stripe_mirror.id = emptied.id
"""


def forget(account_ids: Sequence[str]) -> None:
    """
    Empty what says who somebody is in all that we have seen of these accounts, which are locked. Two statements.

    `seen_at` stays: the next newer state that Stripe shows us is kept whole again.
    """
    kept = StripeMirror.objects.filter(account_id__in=account_ids).values_list("pk", "payload")
    rows = [(object_id, Jsonb(without_personal_data(payload))) for object_id, payload in kept]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, [list(column) for column in zip(*rows, strict=True)])


def seen_by_own_call(called_at: datetime) -> datetime:
    """
    Return the `seen_at` of an answer to a call that we made at `called_at`.

    Events carry whole seconds: those that the call itself caused must count as newer than the answer.
    """
    return called_at.replace(microsecond=0) - timedelta(microseconds=1)


def seen_at(object_id: str) -> datetime | None:
    """Return when the mirror's state of this object is from, None if it was never seen."""
    return StripeMirror.objects.filter(pk=object_id).values_list("seen_at", flat=True).first()


# How to ask Stripe for one object again, by Stripe's name of its kind.
FETCH: dict[str, Callable[[str], Raw]] = {
    "card": payment_methods.retrieve,  # of the older form; Stripe answers in the newer
    "charge": charges.retrieve,
    "credit_note": credit_notes.retrieve,
    "customer": customers.retrieve,
    "dispute": disputes.retrieve,
    "invoice": invoices.retrieve,
    "mandate": mandates.retrieve,
    "payment_intent": payment_intents.retrieve,
    "payment_method": payment_methods.retrieve,
    "refund": refunds.retrieve,
    "setup_intent": setup_intents.retrieve,
    "subscription": subscriptions.retrieve,
}


def fetch(kind: str, object_id: str) -> Raw:
    """
    Return the object as it is at Stripe now.

    :raises KeyError: objects of this kind are never asked for again.
    """
    return FETCH[kind](object_id)
