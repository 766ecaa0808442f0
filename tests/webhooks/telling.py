"""What the tests of the way out share: facts to tell, a Kafka of librdkafka's own, and services that read."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from confluent_kafka import Producer
from django.conf import settings
from redis import Redis

from accounts import journal
from accounts.create_account import create_account
from accounts.journal_events import TO_SERVICES
from accounts.journal_kinds import KINDS
from accounts.lock import account_lock
from accounts.models import Account, JournalDelivery, JournalEntry
from config import clock
from tests.parts import ROOT


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as a service read it."""

    topic: str
    key: str
    event: dict[str, Any]

    @property
    def sequence(self) -> int:
        return int(self.event["sequence"])


def new_account() -> Account:
    name = uuid4().hex[:12]
    return create_account(name=name, email=f"{name}@example.com", actor="system:tests", now=clock.now())


def happen(account: Account, kind: str = "zone.created") -> None:
    """Let something happen to the account that services are told of."""
    with account_lock(account.pk):
        row = KINDS[kind]
        fact = journal.Fact(kind, account.pk, "system:tests", after=row.after.example, before=row.before.example)
        journal.emit(fact, at=clock.now())


def waiting(account: Account) -> int:
    return JournalDelivery.objects.filter(account_id=account.pk, consumer="fanout").count()


def told_of(account: Account) -> list[int]:
    """Return the numbers of the account's entries that services are to hear of."""
    entries = JournalEntry.objects.filter(account=account, kind__in=TO_SERVICES)
    return list(entries.order_by("pk").values_list("sequence", flat=True))


def in_valkey(account: Account) -> list[Heard]:
    """Return what the streams hold of an account: topic by topic, in order."""
    redis = Redis.from_url(settings.REDIS_URL)
    heard = []
    for name in sorted(redis.scan_iter("paygo.*")):
        for _, fields in redis.xrange(name):
            if fields[b"key"] == account.pk.encode():
                heard.append(Heard(name.decode(), account.pk, json.loads(fields[b"event"])))
    return heard


@contextmanager
def kafka() -> Iterator[str]:
    """Run librdkafka's mock cluster of three brokers in this process, and yield where other clients find it."""
    cluster = Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 3})
    brokers = cluster.list_topics(timeout=10).brokers.values()
    yield ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    cluster.flush(1)


def in_kafka(bootstrap: str, *, quiet_seconds: float = 2.0) -> list[Heard]:
    """Return what a service in another process reads there from the beginning."""
    read = subprocess.run(
        [sys.executable, "-m", "tests.webhooks.kafka_reader", bootstrap, str(quiet_seconds)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = (line.split("\t") for line in read.stdout.splitlines())
    return [Heard(topic, key, json.loads(event)) for topic, key, event in lines]


def out_of_order(heard: Iterable[Heard]) -> list[Heard]:
    """Return what came after a later entry of its account and topic without having come before: repeats are allowed."""
    seen: dict[tuple[str, str], set[int]] = defaultdict(set)
    wrong = []
    for each in heard:
        before = seen[each.topic, each.key]
        if each.sequence not in before and before and each.sequence < max(before):
            wrong.append(each)
        before.add(each.sequence)
    return wrong
