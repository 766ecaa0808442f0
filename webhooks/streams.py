"""Where services read what happened: streams in Valkey or Redis by default, Kafka's topics where there is a Kafka."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from django.conf import settings
from redis import Redis, RedisError

PREFIX = "paygo."
FLUSH_SECONDS = 20.0


class StreamUnavailable(Exception):
    """What was sent is not known to have arrived; the same is to be sent again, from its first message on."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message: the topic without its prefix, the account whose order counts, and the event as JSON."""

    topic: str
    key: str
    value: bytes


class Stream(Protocol):
    """A place to send to, in order."""

    def send(self, messages: Sequence[Sent]) -> None:
        """
        Return when all of them have arrived, each account's in the order given.

        :raises StreamUnavailable: they may have arrived up to some message of each account, and none after it.
        """


class RedisStreams:
    """
    One stream per topic. All messages of a call arrive at once or not at all: MULTI, EXEC.

    A stream keeps about EVENT_STREAM_MAX_LENGTH of its newest events: it lies in the broker's memory, and a broker
    that is full takes no work either. Whoever was away for longer reads on from `/internal/v1/journal`.
    """

    def __init__(self, url: str, max_length: int) -> None:
        self._redis = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=10, health_check_interval=10)
        self._max_length = max_length

    def send(self, messages: Sequence[Sent]) -> None:
        try:
            with self._redis.pipeline(transaction=True) as pipeline:
                for message in messages:
                    fields = {"key": message.key, "event": message.value}
                    pipeline.xadd(PREFIX + message.topic, fields, maxlen=self._max_length, approximate=True)  # type: ignore[arg-type]
                pipeline.execute()
        except RedisError as error:
            raise StreamUnavailable(type(error).__name__) from error


class KafkaTopics:
    """
    One idempotent producer per process: acks of all replicas, no reordering, no gap.

    A message has no time limit of its own, because one that gave up would let the next overtake it. Instead the
    call has: a producer that could not deliver everything is thrown away with what it still held.
    """

    def __init__(self, bootstrap: str, more: Sequence[str] = (), *, flush_seconds: float = FLUSH_SECONDS) -> None:
        self._flush_seconds = flush_seconds
        self._settings: dict[str, str | int | bool] = {
            "bootstrap.servers": bootstrap,
            "client.id": "paygo-fanout",
            "enable.idempotence": True,
            "enable.gapless.guarantee": True,
            "acks": "all",
            "message.timeout.ms": 0,
            "linger.ms": 5,
            "compression.type": "lz4",
            **options(more),
        }
        self._producer: Producer | None = None
        self._lock = threading.Lock()

    def send(self, messages: Sequence[Sent]) -> None:
        with self._lock:
            try:
                self._send(messages)
            except (KafkaException, BufferError) as error:
                self._throw_away()
                raise StreamUnavailable(str(error)) from error

    def _send(self, messages: Sequence[Sent]) -> None:
        producer = self._producer = self._producer or Producer(self._settings, logger=logging.getLogger(__name__))
        failed: list[KafkaError] = []

        def arrived(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failed.append(error)

        for message in messages:
            producer.produce(PREFIX + message.topic, key=message.key, value=message.value, on_delivery=arrived)
        left = producer.flush(self._flush_seconds)
        if failed:
            raise KafkaException(failed[0])
        if left:
            raise BufferError(f"{left} of {len(messages)} messages are not acknowledged")

    def _throw_away(self) -> None:
        """Let nothing that was given up arrive later, after what is sent next."""
        if self._producer is not None:
            self._producer.purge(in_queue=True, in_flight=True, blocking=True)
            self._producer = None


@cache
def stream() -> Stream:
    """Return where this process sends to, by the settings."""
    if settings.KAFKA_BOOTSTRAP:
        return KafkaTopics(settings.KAFKA_BOOTSTRAP, settings.KAFKA_OPTIONS)
    return RedisStreams(settings.REDIS_URL, settings.EVENT_STREAM_MAX_LENGTH)


def options(given: Sequence[str]) -> dict[str, str | int | bool]:
    """Return librdkafka's options from `name=value` each."""
    return {name: value for name, _, value in (option.partition("=") for option in given)}
