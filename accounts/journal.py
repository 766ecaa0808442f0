"""
The journal: one entry per fact, numbered per account in commit order.

It is the timeline that people read, the audit trail, and the outbox: an entry's deliveries are
written by the same statement, one for each consumer that its kind names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from psycopg.types.json import Jsonb

from config import behalf, clock, correlation, wake

from .claim import claim, finishing
from .journal_kinds import KINDS, Consumer
from .lock import holds_lock
from .models import JournalDelivery
from .sweep import sweep


@dataclass(frozen=True, slots=True)
class Fact:
    """What is to be written down. `before` and `after` are what the kind says: ids and names, no personal data."""

    kind: str
    account_id: str | None
    actor: str
    reason: str = ""
    cause: str = ""
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    correlation_id: str = ""  # empty: that of the event or request which this is part of


_EMIT = """
WITH fact AS (
    SELECT row_number() OVER () AS position, *
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::jsonb[], %s::text[])
        AS fact(account_id, kind, actor, reason, cause, before, after, correlation_id)
), entry AS (
    INSERT INTO journal_entry
        (account_id, sequence, kind, actor, reason, cause, before, after, correlation_id, at, recorded_at)
    SELECT fact.account_id,
        CASE WHEN fact.account_id IS NOT NULL THEN
            (SELECT coalesce(max(sequence), 0) FROM journal_entry past WHERE past.account_id = fact.account_id)
            + row_number() OVER (PARTITION BY fact.account_id ORDER BY position)
        END,
        kind, actor, reason, cause, before, after, correlation_id, %s, %s
    FROM fact ORDER BY position
    RETURNING id, account_id, kind
)
INSERT INTO journal_delivery (entry_id, account_id, consumer, next_at, attempts, lease_backend)
SELECT entry.id, entry.account_id, told.consumer, %s, 0, ''
FROM entry JOIN unnest(%s::text[], %s::text[]) AS told(kind, consumer) USING (kind)
ORDER BY entry.id
"""


def emit(*facts: Fact, at: datetime) -> None:
    """
    Write down what happened at `at` (business time), with a delivery for each consumer. One statement.

    The caller holds the lock of every account concerned, so that `sequence` is the order of commits. Where somebody
    acts by hand, each fact also says why; the system's become theirs.
    """
    by_hand = behalf.current()
    if by_hand is not None:
        facts = tuple(_of_somebody(fact, by_hand) for fact in facts)
    assert connection.in_atomic_block, "a fact and its journal entry are one transaction"
    for fact in facts:
        assert fact.account_id is None or holds_lock(fact.account_id), f"{fact.kind}: the account is not locked"
    told = [(kind, consumer.value) for kind in {fact.kind for fact in facts} for consumer in KINDS[kind].told]
    with connection.cursor() as cursor:
        cursor.execute(
            _EMIT,
            [
                [fact.account_id for fact in facts],
                [fact.kind for fact in facts],
                [fact.actor for fact in facts],
                [fact.reason for fact in facts],
                [fact.cause for fact in facts],
                [_json(fact.before) for fact in facts],
                [_json(fact.after) for fact in facts],
                [fact.correlation_id or correlation.current() for fact in facts],
                at,
                clock.machine_now(),
                at,
                [kind for kind, _ in told],
                [consumer for _, consumer in told],
            ],
        )
    for consumer in sorted({consumer for _, consumer in told}):
        wake.wake(WAKES[consumer])


# The task that takes up each consumer's deliveries.
WAKES = {
    Consumer.BILLING.value: "billing.deliver_journal",
    Consumer.DUNNING.value: "dunning.deliver_journal",
    Consumer.FANOUT.value: "webhooks.fan_out",
    Consumer.PIPE.value: "webhooks.deliver_journal",
}


def deliver(
    consumer: Consumer,
    act: Callable[[JournalDelivery], None],
    *,
    now: datetime,
    passing: tuple[type[Exception], ...] = (),
    limit: int = 100,
) -> int:
    """
    Hand this consumer's due deliveries to `act`, oldest first, and return how many there were.

    `act` runs outside any transaction and must be safe to repeat: a delivery is deleted after it. One that
    fails is tried again later and holds up no other.
    """

    def act_and_finish(delivery: JournalDelivery) -> None:
        act(delivery)
        with finishing(delivery):
            pass

    due = claim(JournalDelivery, "consumer = %s", (consumer.value,), now=now, limit=limit)
    return sweep(due, act_and_finish, now=now, passing=passing)


def _of_somebody(fact: Fact, by_hand: behalf.Behalf) -> Fact:
    actor = by_hand.actor if fact.actor.startswith("system:") else fact.actor
    why = " · ".join(part for part in (fact.reason, by_hand.why) if part)
    return replace(fact, actor=actor, reason=why[:REASON_LENGTH])


REASON_LENGTH = 400


def _json(value: Mapping[str, object]) -> Jsonb:
    return Jsonb(value, dumps=_ENCODER.encode)


_ENCODER = DjangoJSONEncoder()
