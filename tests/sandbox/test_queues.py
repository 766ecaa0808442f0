"""The sandbox's queues, driven by the official SDK: leases, acknowledgements, retries with a delay, dead letters."""

import base64
import json
import time

import cloudflare
import pytest

from sandbox.queues.api import TOKEN, control_push, control_queue, control_state
from sandbox.world import World

ACCOUNT = "a" * 32


@pytest.fixture
def queue(sandbox):
    settings = {"account_id": ACCOUNT, "queue_id": "orders", "dead_letter_queue_id": "orders-dead", "max_retries": 2}
    assert sandbox.control("PUT", "/_sandbox/queues", settings)[0] == 200
    return Queue(sandbox, "orders")


class Queue:
    """A queue as the SDK sees it."""

    def __init__(self, sandbox, queue_id, token=TOKEN):
        client = cloudflare.Cloudflare(api_token=token, base_url=f"{sandbox.server.url}/client/v4", max_retries=0)
        self.sandbox, self.queues, self.where = sandbox, client.queues, {"account_id": ACCOUNT, "queue_id": queue_id}

    def push(self, body, **options):
        self.queues.messages.push(**self.where, body=body, content_type="json", **options)

    def pull(self, **options):
        return self.queues.messages.pull(**self.where, **options).messages

    def bodies(self, **options):
        return [json.loads(base64.b64decode(message.body)) for message in self.pull(**options)]

    def settle(self, *, acks=(), retries=(), delay_seconds=0):
        return self.queues.messages.ack(
            **self.where,
            acks=[{"lease_id": message.lease_id} for message in acks],
            retries=[{"lease_id": message.lease_id, "delay_seconds": delay_seconds} for message in retries],
        )


def test_what_is_pushed_is_pulled_in_order_and_gone_once_acknowledged(queue):
    queue.push({"n": 1})
    queue.queues.messages.bulk_push(
        **queue.where, messages=[{"body": {"n": n}, "content_type": "json"} for n in (2, 3)]
    )

    first = queue.pull(batch_size=2)
    settled = queue.settle(acks=first)

    assert [message.attempts for message in first] == [1, 1]
    assert (settled.ack_count, settled.retry_count, settled.warnings) == (2, 0, {})
    assert queue.bodies() == [{"n": 3}]
    assert queue.queues.get("orders", account_id=ACCOUNT).queue_name == "orders"


def test_a_leased_message_is_nobody_elses_until_its_lease_is_over(queue):
    queue.push({"n": 1})
    (taken,) = queue.pull(visibility_timeout_ms=60)

    assert queue.pull() == []
    time.sleep(0.08)
    (again,) = queue.pull()
    late = queue.settle(acks=[taken])

    assert (again.id, again.attempts) == (taken.id, 2)
    assert (late.ack_count, list(late.warnings)) == (0, [taken.lease_id])


def test_a_retry_waits_for_its_delay_by_the_business_clock(queue):
    queue.sandbox.freeze()
    queue.push({"n": 1})
    queue.settle(retries=queue.pull(), delay_seconds=600)
    pending = queue.sandbox.control("GET", "/_sandbox/pending")[1]

    assert queue.pull() == []
    assert (pending["messages_due"], pending["next_due"]) == (0, pending["now"] + 600)
    queue.sandbox.advance(seconds=600)
    assert [message.attempts for message in queue.pull()] == [2]


def test_what_is_retried_too_often_is_a_dead_letter(queue):
    queue.push({"n": 1})

    for _ in range(3):
        queue.settle(retries=queue.pull())

    assert queue.pull() == []
    assert Queue(queue.sandbox, "orders-dead").bodies() == [{"n": 1}]
    assert queue.sandbox.control("GET", "/_sandbox/pending")[1]["messages_due"] == 0, "dead letters wait for people"


def test_a_delayed_push_is_not_there_yet(queue):
    queue.sandbox.freeze()
    queue.push({"n": 1}, delay_seconds=60)

    assert queue.pull() == []
    queue.sandbox.advance(seconds=60)
    assert queue.bodies() == [{"n": 1}]


def test_what_makes_no_sense_is_refused_in_the_envelope(queue):
    with pytest.raises(cloudflare.AuthenticationError):
        Queue(queue.sandbox, "orders", token="other").pull()
    with pytest.raises(cloudflare.NotFoundError):
        Queue(queue.sandbox, "nowhere").pull()
    with pytest.raises(cloudflare.BadRequestError):
        queue.pull(batch_size=1000)
    with pytest.raises(cloudflare.BadRequestError):
        queue.pull(visibility_timeout_ms=-1)


def test_the_controls_push_show_and_empty(queue):
    where = {"account_id": ACCOUNT, "queue_id": "orders"}

    assert queue.sandbox.control("POST", "/_sandbox/queues/messages", where | {"body": {"n": 1}})[0] == 200
    assert queue.sandbox.control("POST", "/_sandbox/queues/messages", where | {"queue_id": "x", "body": 1})[0] == 400

    shown = queue.sandbox.control("GET", "/_sandbox/queues")[1]["queues"]
    assert [len(each["messages"]) for each in shown if each["queue_id"] == "orders"] == [1]
    assert queue.sandbox.control("DELETE", "/_sandbox/queues/messages")[1] == {"purged": 1}
    assert queue.pull() == []


def test_queues_and_what_is_in_them_survive_the_process(tmp_path):
    world = World.open(tmp_path)
    control_queue(world, {"account_id": ACCOUNT, "queue_id": "orders"})
    control_push(world, {"account_id": ACCOUNT, "queue_id": "orders", "body": {"n": 1}})
    # As a killed process leaves it: nothing is closed.

    again = World.open(tmp_path)

    assert [message["body"] for message in control_state(again, {})["queues"][0]["messages"]] == [{"n": 1}]
