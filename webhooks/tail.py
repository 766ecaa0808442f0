"""What services are sent, read along: one event after another, from Valkey's streams or from Kafka."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

from confluent_kafka import OFFSET_END, Consumer, TopicPartition
from django.conf import settings
from redis import Redis

from accounts.journal_kinds import Topic

from .streams import PREFIX, options

POLL_SECONDS = 1.0
TOPICS = tuple(PREFIX + topic.value for topic in Topic)

Event = dict[str, Any]


def follow(*, since: datetime | None, account_id: str = "") -> Iterator[tuple[str, Event] | None]:
    """
    Yield topic and event of what arrives from `since` on (None: from now on), of one account or of all; no end.

    None is yielded whenever nothing came for a while, so that the caller can stop.
    """
    for heard in _of_kafka(since) if settings.KAFKA_BOOTSTRAP else _of_valkey(since):
        if heard is None or not account_id or heard[1].get("subject") == account_id:
            yield heard


def _of_valkey(since: datetime | None) -> Iterator[tuple[str, Event] | None]:
    redis = Redis.from_url(settings.REDIS_URL, decode_responses=True)
    begin = "$" if since is None else f"{int(since.timestamp() * 1000)}-0"
    last = dict.fromkeys(TOPICS, begin)
    if since is None:
        for topic in TOPICS:
            newest = cast("list[Any]", redis.xrevrange(topic, count=1))
            last[topic] = newest[0][0] if newest else "0-0"
    while True:
        batches = cast("list[Any]", redis.xread(cast("Any", last), block=int(POLL_SECONDS * 1000)))
        for topic, entries in batches:
            for entry_id, fields in entries:
                last[topic] = entry_id
                yield topic, json.loads(fields["event"])
        if not batches:
            yield None


def _of_kafka(since: datetime | None) -> Iterator[tuple[str, Event] | None]:
    consumer = Consumer(
        {
            "bootstrap.servers": settings.KAFKA_BOOTSTRAP,
            "group.id": f"paygo-tail-{uuid4().hex}",
            "enable.auto.commit": False,
            **options(settings.KAFKA_OPTIONS),
        }
    )
    at = OFFSET_END if since is None else int(since.timestamp() * 1000)
    known = consumer.list_topics(timeout=10).topics
    parts = [TopicPartition(topic, part, at) for topic in TOPICS if topic in known for part in known[topic].partitions]
    consumer.assign(parts if since is None else consumer.offsets_for_times(parts, timeout=10))
    while True:
        message = consumer.poll(POLL_SECONDS)
        if message is None:
            yield None
        elif message.error() is None:
            yield str(message.topic()), json.loads(cast("bytes", message.value()))
