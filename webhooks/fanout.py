"""
The way out: every journal entry that services may see goes to them, in the order of each account's commits.

An account's entries are numbered under its lock, so the order of its deliveries is the order of its commits. They
are always taken from the oldest that is left: there is no cursor that a late commit could slip behind. One worker at
a time serves a shard, which is the accounts whose hash begins with its digit. Entries are deleted from the work
only when they have arrived: what is sent again after a crash may come twice, and nothing is left out.
"""

import json
import random
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from prometheus_client import Counter, Histogram

from accounts.claim import LeaseLost, claim, give_back, release, renew
from accounts.journal_events import envelope
from accounts.journal_feed import told
from accounts.journal_kinds import topic_of
from accounts.models import JournalDelivery, JournalEntry
from config import clock

from .models import FanoutShard
from .streams import Sent, Stream, StreamUnavailable, stream

logger = structlog.get_logger()

SHARDS = "0123456789abcdef"
# So many shards are taken at once; the others are left to other workers meanwhile.
SHARDS_AT_ONCE = 4
BATCH = 200
BATCHES_AT_ONCE = 10
PAUSE_SECONDS = 1.0
# What is no account's keeps its order too, beside the accounts of one shard.
NOBODY = "platform"

sent_total = Counter("paygo_fanout_sent", "Journal entries that services were told of.", ["topic"])
failed_total = Counter(
    "paygo_fanout_failed", "Times that the stream could not be reached, or an entry not be told.", ["why"]
)
lag_seconds = Histogram(
    "paygo_fanout_lag_seconds",
    "From an entry's writing to its arrival in the stream.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
)

# As the index on `journal_delivery` has it.
_SHARD_OF = "left(md5(coalesce(waiting.account_id, '')), 1)"
_HAS_WORK = f"""
    shard = ANY(%s)
    AND EXISTS (SELECT FROM journal_delivery waiting WHERE waiting.consumer = 'fanout' AND {_SHARD_OF} = shard)
"""
_OLDEST = f"""
    SELECT entry.*, waiting.id AS delivery_id
    FROM journal_delivery waiting JOIN journal_entry entry ON entry.id = waiting.entry_id
    WHERE waiting.consumer = 'fanout' AND {_SHARD_OF} = %s AND NOT coalesce(waiting.account_id, '') = ANY(%s)
    ORDER BY waiting.id LIMIT {BATCH}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Ready:
    """An entry's message, and what is deleted and measured once it has arrived."""

    delivery_id: int
    recorded_at: datetime
    message: Sent


def fan_out_due(*, now: datetime, to: Stream | None = None) -> int:
    """
    Send what waits for services, and return how many entries arrived.

    A stream that can't be reached puts its shards off for a moment. An entry that can't be told holds up its own
    account's later ones and nobody else's.
    """
    first = random.randrange(len(SHARDS))  # noqa: S311  so that none is always last
    shards = SHARDS[first:] + SHARDS[:first]
    arrived = 0
    for start in range(0, len(shards), SHARDS_AT_ONCE):
        group = list(shards[start : start + SHARDS_AT_ONCE])
        for shard in claim(FanoutShard, _HAS_WORK, (group,), now=now, limit=SHARDS_AT_ONCE):
            try:
                arrived += _serve(shard, to or stream())
            except LeaseLost:
                logger.info("fanout.taken_over", shard=shard.pk)
    return arrived


def _serve(shard: FanoutShard, to: Stream) -> int:
    """Send the shard's oldest entries, batch by batch, and let it go. :raises LeaseLost: another worker has it."""
    held: set[str] = set()
    arrived = 0
    for _ in range(BATCHES_AT_ONCE):
        entries = list(JournalEntry.objects.raw(_OLDEST, [shard.pk, list(held)]))
        ready = _ready(entries, held)
        if ready:
            renew(shard)
            try:
                to.send([each.message for each in ready])
            except StreamUnavailable as error:
                failed_total.labels("stream").inc()
                logger.warning("fanout.unavailable", shard=shard.pk, error=str(error))
                give_back(shard, for_seconds=PAUSE_SECONDS)
                return arrived
            _finish(shard, ready)
            arrived += len(ready)
        if len(entries) < BATCH:
            break
    release(shard)
    return arrived


def _ready(entries: list[JournalEntry], held: set[str]) -> list[Ready]:
    """Return the messages of those that can be told; an account whose entry can't joins `held`, with what follows."""
    ready = []
    for entry in entries:
        account = entry.account_id or ""
        if account in held:
            continue
        try:
            message = _message(entry)
        except Exception as error:  # noqa: BLE001  a kind that an older process does not know yet, say: it waits for a newer one
            held.add(account)
            failed_total.labels("entry").inc()
            logger.error("fanout.held", entry=entry.pk, kind=entry.kind, error=type(error).__name__)
        else:
            ready.append(Ready(entry.delivery_id, entry.recorded_at, message))  # type: ignore[attr-defined]
    return ready


def _finish(shard: FanoutShard, ready: list[Ready]) -> None:
    """Delete what has arrived, if the shard is still ours: else whoever has it sends it again, and deletes it."""
    with transaction.atomic():
        JournalDelivery.objects.filter(pk__in=[each.delivery_id for each in ready]).delete()
        renew(shard)
    arrived_at = clock.machine_now()
    for each in ready:
        sent_total.labels(each.message.topic).inc()
        lag_seconds.observe((arrived_at - each.recorded_at).total_seconds())


def _message(entry: JournalEntry) -> Sent:
    value = json.dumps(envelope(told(entry)), cls=DjangoJSONEncoder, separators=(",", ":")).encode()
    return Sent(topic_of(entry.kind).value, entry.account_id or NOBODY, value)
