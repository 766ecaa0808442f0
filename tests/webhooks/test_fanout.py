"""What happens reaches the services, in order, whoever dies meanwhile."""

import io
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from multiprocessing import get_context

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from redis import Redis

from accounts import journal
from accounts.lock import account_lock
from accounts.models import JournalDelivery, JournalEntry
from config import clock
from tests.parts import ROOT
from tests.webhooks.telling import (
    happen,
    in_kafka,
    in_valkey,
    kafka,
    new_account,
    out_of_order,
    told_of,
    waiting,
)
from webhooks.fanout import fan_out_due
from webhooks.streams import KafkaTopics, RedisStreams, Sent, StreamUnavailable
from webhooks.tail import follow

pytestmark = pytest.mark.usefixtures("story")


def fan_out(**to):
    return fan_out_due(now=clock.now(), **to)


def test_an_entry_arrives_as_a_cloud_event_and_nothing_is_left():
    account = new_account()
    happen(account, "payment.failed")

    fan_out()

    heard = in_valkey(account)
    assert waiting(account) == 0
    assert [(each.topic, each.event["type"], each.sequence) for each in heard] == [
        ("paygo.accounts", "paygo.account.created", 1),
        ("paygo.accounts", "paygo.member.added", 2),
        ("paygo.payments", "paygo.payment.failed", 3),
    ]
    entry = JournalEntry.objects.get(account=account, sequence=3)
    assert heard[-1].event == {
        "specversion": "1.0",
        "id": str(entry.pk),
        "source": "/paygo/journal",
        "type": "paygo.payment.failed",
        "subject": account.pk,
        "sequence": "000000000003",
        "time": entry.at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {"actor": "system", "cause": "", "before": {}, "after": entry.after},
    }
    assert fan_out() == 0


def test_the_tail_shows_one_accounts_events_in_words_or_json():
    account, other = new_account(), new_account()
    fan_out()
    told = {}
    for flag in ("--until-quiet", "--json"):
        out = io.StringIO()
        call_command(
            "tail_events", "--account", account.pk, "--from", "2020-01-01T00:00Z", "--until-quiet", flag, stdout=out
        )
        told[flag] = out.getvalue().splitlines()

    assert [account.pk in line and other.pk not in line for line in told["--until-quiet"]] == [True, True]
    assert "The account was created" in told["--until-quiet"][0]
    assert [json.loads(line)["sequence"] for line in told["--json"]] == ["000000000001", "000000000002"]
    with pytest.raises(CommandError, match="is no time with its zone"):
        call_command("tail_events", "--from", "yesterday")


def test_what_is_internal_and_why_somebody_acted_stay_inside():
    account = new_account()
    with account_lock(account.pk):
        after = {"prefix": "pgo_1a2b"}
        journal.emit(journal.Fact("token.issued", account.pk, "agent:ann", "she called", after=after), at=clock.now())
        zone = {"zone_id": "0" * 32}
        journal.emit(journal.Fact("zone.created", account.pk, "agent:ann", "she called", after=zone), at=clock.now())

    fan_out()

    heard = in_valkey(account)
    assert [each.event["type"] for each in heard][2:] == ["paygo.zone.created"]
    assert "she called" not in str(heard)
    assert "ann" not in str(heard[-1].event["data"])


def test_a_late_commit_is_never_skipped():
    late, early = new_account(), new_account()
    fan_out()
    written, go_on = threading.Event(), threading.Event()

    def commit_late():
        with account_lock(late.pk):
            happen(late)
            written.set()
            assert go_on.wait(20)
        connections.close_all()

    slow = threading.Thread(target=commit_late)
    slow.start()
    assert written.wait(20)
    happen(early)
    fan_out()
    assert [each.sequence for each in in_valkey(early)] == [1, 2, 3]
    assert [each.sequence for each in in_valkey(late)] == [1, 2]
    go_on.set()
    slow.join()
    fan_out()

    assert [each.sequence for each in in_valkey(late)] == [1, 2, 3]
    older, newer = (JournalEntry.objects.get(account=account, sequence=3).pk for account in (late, early))
    assert older < newer, "the late commit had the lower number: a cursor would have passed it"


def test_an_entry_that_cannot_be_told_holds_up_its_own_account_alone():
    held, other = new_account(), new_account()
    fan_out()
    with account_lock(held.pk):
        (entry,) = JournalEntry.objects.bulk_create(
            [JournalEntry(account=held, sequence=3, kind="nobody.knows_yet", actor="system:newer", at=clock.now(),
                          recorded_at=clock.machine_now())]
        )  # fmt: skip
        JournalDelivery.objects.create(entry=entry, account_id=held.pk, consumer="fanout", next_at=clock.now())
    happen(held)
    happen(other)

    fan_out()

    assert waiting(held) == 2
    assert [each.sequence for each in in_valkey(held)] == [1, 2]
    assert [each.sequence for each in in_valkey(other)] == [1, 2, 3]
    JournalDelivery.objects.filter(entry=entry).delete()
    fan_out()
    assert [each.sequence for each in in_valkey(held)] == [1, 2, 4]


def test_who_is_killed_between_sending_and_writing_it_down_has_it_sent_again():
    account = new_account()
    connections.close_all()

    child = get_context("fork").Process(target=send_and_die)
    child.start()
    child.join(30)

    assert child.exitcode == -signal.SIGKILL
    assert waiting(account) == 2
    fan_out()
    assert waiting(account) == 0
    assert [each.sequence for each in in_valkey(account)] == [1, 2, 1, 2]
    assert out_of_order(in_valkey(account)) == []


class DiesAfterwards:
    """The real streams, in a process that is killed before it can write down what they took."""

    def send(self, messages):
        RedisStreams(settings.REDIS_URL, 1000).send(messages)
        os.kill(os.getpid(), signal.SIGKILL)


def send_and_die():
    fan_out_due(now=clock.now(), to=DiesAfterwards())


def test_a_stream_that_cannot_be_reached_loses_nothing():
    account = new_account()

    fan_out(to=RedisStreams("redis://127.0.0.1:1/0", 1000))
    assert waiting(account) == 2
    give_up_at = time.monotonic() + 20
    while waiting(account) and time.monotonic() < give_up_at:
        fan_out()

    assert [each.sequence for each in in_valkey(account)] == [1, 2]


def test_a_stream_keeps_about_as_much_as_it_is_told():
    redis = Redis.from_url(settings.REDIS_URL)
    stream = RedisStreams(settings.REDIS_URL, 100)

    for _ in range(5):
        stream.send([Sent("bounded", "somebody", b"{}")] * 100)

    assert 100 <= redis.xlen("paygo.bounded") <= 300
    redis.delete("paygo.bounded")


def test_kafka_gets_each_accounts_order_under_its_key(settings):
    accounts = [new_account() for _ in range(3)]
    for account in accounts * 2:
        happen(account, "payment.succeeded")
    with kafka() as bootstrap:
        stream = KafkaTopics(bootstrap)

        fan_out(to=stream)

        settings.KAFKA_BOOTSTRAP = bootstrap
        tail = follow(since=None, account_id=accounts[0].pk)
        assert next(tail) is None
        happen(accounts[1])
        happen(accounts[0])
        fan_out(to=stream)
        followed = next(each for each in tail if each is not None)
        heard = [each for each in in_kafka(bootstrap) if each.key in {account.pk for account in accounts}]
    assert {each.topic for each in heard} == {"paygo.accounts", "paygo.payments"}
    assert (followed[0], int(followed[1]["sequence"])) == ("paygo.accounts", 5)
    for account in accounts:
        assert sorted(each.sequence for each in heard if each.key == account.pk) == told_of(account)
    assert out_of_order(heard) == []


def test_a_kafka_that_does_not_answer_is_given_up_and_the_next_call_sends_all_of_it():
    messages = [Sent("orders", "somebody", str(number).encode()) for number in range(5)]
    silent = KafkaTopics("127.0.0.1:1", flush_seconds=0.5)

    with pytest.raises(StreamUnavailable, match="5 of 5"):
        silent.send(messages)

    assert silent._producer is None, "what it held is gone with it"


EVENTS = 500
ACCOUNTS = 25


def test_services_hear_everything_in_order_though_workers_die_and_the_broker_forgets():
    accounts = [new_account() for _ in range(ACCOUNTS)]
    kinds = itertools.cycle(["zone.created", "payment.succeeded", "change.committed"])
    with kafka() as bootstrap:
        workers = [worker(bootstrap), worker(bootstrap)]
        for number in range(EVENTS):
            happen(accounts[number % ACCOUNTS], next(kinds))
            if number % 125 == 60:
                workers[0].kill()  # SIGKILL, in whatever it was doing
                workers[0].wait()
                workers = [workers[1], worker(bootstrap)]
            if number in {150, 350}:
                Redis.from_url(settings.REDIS_URL).flushdb()
        give_up_at = time.monotonic() + 60
        while any(waiting(account) for account in accounts):
            assert time.monotonic() < give_up_at, "something is never sent"
            time.sleep(0.05)
        for each in workers:
            each.kill()
            each.wait()
        heard = in_kafka(bootstrap)

    by_account = defaultdict(set)
    for each in heard:
        by_account[each.key].add(each.sequence)
    for account in accounts:
        assert sorted(by_account[account.pk]) == told_of(account)
    assert out_of_order(heard) == []


def worker(bootstrap):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.webhooks.fanout_worker"],
        cwd=ROOT, env=os.environ | {"KAFKA_BOOTSTRAP": bootstrap, "DJANGO_SETTINGS_MODULE": "config.settings"},
    )  # fmt: skip
