"""Faults: what a caller sees, what was done all the same, and that a seed repeats itself."""

import time

import pytest
import stripe

from .conftest import refused, sdk
from .receiver import Receiver
from .test_webhooks import listen, quiet

KEY = {"idempotency_key": "once"}


def fault(sandbox, kind, **more):
    status, answer = sandbox.control("POST", "/_sandbox/faults", {"kind": kind, **more})
    assert status == 200, answer
    return answer


@pytest.mark.parametrize(
    ("kind", "error", "status", "retry"),
    [
        ("rate_limit", stripe.RateLimitError, 429, None),
        ("lock_timeout", stripe.RateLimitError, 429, "true"),
        ("server_error", stripe.APIError, 500, None),
        ("outage", stripe.APIError, 503, None),
    ],
)
def test_a_refused_call_did_nothing(sandbox, v1, kind, error, status, retry):
    fault(sandbox, kind)

    caught = refused(error, v1.customers.create, {"name": "A"}, KEY)

    assert (caught.http_status, caught.headers.get("stripe-should-retry")) == (status, retry)
    sandbox.control("DELETE", "/_sandbox/faults")
    assert v1.customers.list().data == []
    assert v1.customers.create({"name": "A"}, KEY).name == "A"


def test_done_but_the_connection_was_cut(sandbox, v1):
    fault(sandbox, "cut", operation="Customer.create")

    refused(stripe.APIConnectionError, v1.customers.create, {"name": "A"}, KEY)
    again = v1.customers.create({"name": "A"}, KEY)

    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert [customer.id for customer in v1.customers.list().data] == [again.id]


def test_no_answer_and_nothing_done(sandbox, v1):
    fault(sandbox, "time_out", seconds=0.05)

    refused(stripe.APIConnectionError, v1.customers.create, {"name": "A"})

    assert v1.customers.list().data == []


def test_a_slow_answer_is_an_answer(sandbox, v1):
    fault(sandbox, "slow", seconds=0.1)
    before = time.monotonic()

    v1.customers.create({"name": "A"})

    assert time.monotonic() - before >= 0.1


def test_the_sdk_gets_over_a_lock_and_a_cut(sandbox):
    fault(sandbox, "lock_timeout")
    fault(sandbox, "cut")
    client = stripe.StripeClient("sk_test_x", base_addresses={"api": sandbox.server.url}, max_network_retries=2)

    client.v1.customers.create({"name": "A"})

    assert len(sandbox.v1.customers.list().data) == 1


def test_an_outage_ends_by_the_clock(sandbox, v1):
    sandbox.freeze()
    fault(sandbox, "outage", minutes=60)
    refused(stripe.APIError, v1.customers.list)

    sandbox.advance(minutes=60)

    assert v1.customers.list().data == []


def test_a_fault_strikes_only_what_it_names_and_so_often(sandbox, v1):
    fault(sandbox, "server_error", operation="Customer.list", count=2)

    v1.customers.create({"name": "A"})
    for _ in range(2):
        refused(stripe.APIError, v1.customers.list)

    assert len(v1.customers.list().data) == 1


def test_chance_repeats_with_its_seed(sandbox, v1):
    def outcomes(seed):
        sandbox.control("DELETE", "/_sandbox/faults")
        fault(sandbox, "server_error", probability=0.5, seed=seed, count=0)
        return [_is_refused(v1) for _ in range(20)]

    first, again, other = outcomes(1), outcomes(1), outcomes(2)

    assert first == again != other
    assert 0 < sum(first) < 20


def _is_refused(v1):
    try:
        v1.customers.list()
    except stripe.APIError:
        return True
    return False


@pytest.mark.parametrize("said", [{"kind": "flood"}, {"kind": "cut", "often": 2}, {}])
def test_faults_that_make_no_sense_are_refused(sandbox, said):
    assert sandbox.control("POST", "/_sandbox/faults", said)[0] == 400
    assert sandbox.control("GET", "/_sandbox/faults")[1]["faults"] == []


@pytest.fixture
def receiver(sandbox):
    running = Receiver()
    listen(sandbox, running, "customer.created", "product.created")
    yield running
    running.stop()


def test_a_webhook_comes_twice(sandbox, v1, receiver):
    fault(sandbox, "webhook_duplicated", type="customer.created")

    v1.customers.create({})
    v1.products.create({"name": "Pro"})
    quiet(sandbox)

    assert receiver.types() == ["customer.created", "customer.created", "product.created"]
    assert receiver.events[0]["id"] == receiver.events[1]["id"]


def test_a_webhook_comes_late(sandbox, v1, receiver):
    sandbox.freeze()
    fault(sandbox, "webhook_delayed", type="customer.created", seconds=3600)
    v1.customers.create({})
    v1.products.create({"name": "Pro"})
    receiver.wait_for(1)
    early = receiver.types()

    sandbox.advance(hours=1)
    quiet(sandbox)

    assert early == ["product.created"]
    assert receiver.types() == ["product.created", "customer.created"]


def test_a_webhook_is_overtaken(sandbox, v1, receiver):
    sandbox.freeze()
    fault(sandbox, "webhook_shuffled", count=0, seconds=0.05)

    made = [v1.customers.create({}).id for _ in range(10)]
    quiet(sandbox)

    assert sorted(event["data"]["object"]["id"] for event in receiver.events) == sorted(made)


def test_a_webhook_never_comes_but_is_listed(sandbox, v1, receiver):
    fault(sandbox, "webhook_dropped")

    v1.customers.create({})
    v1.products.create({"name": "Pro"})
    quiet(sandbox)

    assert receiver.types() == ["product.created"]
    assert [event.type for event in v1.events.list({"delivery_success": False}).data] == ["customer.created"]


def test_a_webhook_is_forged_first(sandbox, v1, receiver):
    fault(sandbox, "webhook_forged")

    v1.customers.create({})
    quiet(sandbox)

    assert (receiver.forged, receiver.types()) == (1, ["customer.created"])
    assert sdk(sandbox.server.url).v1.events.list({"delivery_success": False}).data == []
