"""Webhooks: who gets what, signed how, again when, and what survives."""

import pytest
import stripe

from .conftest import RunningSandbox, refused
from .receiver import SECRET, Receiver


@pytest.fixture
def receiver():
    running = Receiver()
    yield running
    running.stop()


def listen(sandbox: RunningSandbox, receiver: Receiver, *types: str):
    said = {"url": receiver.url, "secret": SECRET, "enabled_events": list(types) or ["*"]}
    status, answer = sandbox.control("PUT", "/_sandbox/endpoints", said)
    assert status == 200
    return answer


def quiet(sandbox: RunningSandbox) -> None:
    sandbox.wait_until(lambda pending: pending["webhooks"] == 0)


def test_events_arrive_signed_and_in_order(shop, sandbox, receiver):
    listen(sandbox, receiver)
    before = len(sandbox.event_types())

    shop.subscribe(shop.customer(), shop.pro)
    quiet(sandbox)

    assert receiver.forged == 0
    assert receiver.types() == sandbox.event_types(before)
    event = receiver.events[0]
    assert (event["api_version"], event["created"], event["livemode"]) == ("2026-10-28.endive", 1_798_761_600, False)


def test_only_wanted_types_are_sent(shop, sandbox, receiver):
    listen(sandbox, receiver, "invoice.paid", "customer.created")

    shop.subscribe(shop.customer(), shop.pro)
    quiet(sandbox)

    assert receiver.types() == ["customer.created", "invoice.paid"]


def test_an_event_names_the_request_that_caused_it(sandbox, v1):
    customer = v1.customers.create({"name": "A"}, {"idempotency_key": "mine"})

    event = v1.events.list({"type": "customer.created"}).data[0]

    assert event.request.idempotency_key == "mine"
    assert event.request.id == customer.last_response.request_id


def test_an_update_tells_the_old_values(v1):
    customer = v1.customers.create({"name": "A", "metadata": {"a": "1", "b": "1"}})
    v1.customers.update(customer.id, {"name": "B", "metadata": {"a": "2", "c": "3"}})
    v1.customers.update(customer.id, {"name": "B"})

    updates = v1.events.list({"type": "customer.updated"}).data

    assert len(updates) == 1
    assert updates[0].data.previous_attributes.to_dict() == {"name": "A", "metadata": {"a": "1", "c": None}}


def test_a_refused_event_is_sent_again_after_clock_time(shop, sandbox, receiver):
    listen(sandbox, receiver, "customer.created")
    receiver.status = 500
    shop.customer()
    receiver.wait_for(1)
    sandbox.wait_until(lambda pending: pending["webhooks_due"] == 0)
    waiting = sandbox.control("GET", "/_sandbox/pending")[1]
    undelivered = sandbox.v1.events.list({"delivery_success": False}).data
    receiver.status = 200

    sandbox.advance(seconds=60)
    quiet(sandbox)

    assert waiting["next_due"] == waiting["now"] + 60
    assert [event.type for event in undelivered] == ["customer.created"]
    assert receiver.types() == ["customer.created"] * 2
    assert receiver.events[0]["id"] == receiver.events[1]["id"]
    assert sandbox.v1.events.list({"delivery_success": False}).data == []


def test_an_endpoint_that_is_down_gets_its_events_when_it_is_up(shop, sandbox):
    gone = Receiver()
    port = gone.server_address[1]
    listen(sandbox, gone, "customer.created")
    gone.stop()
    shop.customer()

    back = Receiver(port)
    quiet(sandbox)
    back.stop()

    assert back.types() == ["customer.created"]


def test_what_nobody_takes_is_given_up_after_three_days_but_not_forgotten(shop, sandbox, receiver):
    listen(sandbox, receiver, "customer.created")
    receiver.status = 500
    shop.customer()
    for expected in range(1, 5):
        receiver.wait_for(expected)
        sandbox.wait_until(lambda pending: pending["webhooks_due"] == 0)
        sandbox.advance(days=1)
    quiet(sandbox)

    undelivered = sandbox.v1.events.list({"delivery_success": False}).data

    assert [event.type for event in undelivered] == ["customer.created"]


def test_putting_an_endpoint_twice_makes_one(sandbox, receiver):
    first = listen(sandbox, receiver, "invoice.paid")

    second = listen(sandbox, receiver, "invoice.paid", "customer.created")

    assert first["id"] == second["id"]
    endpoints = sandbox.v1.webhook_endpoints.list().data
    assert [list(endpoint.enabled_events) for endpoint in endpoints] == [["invoice.paid", "customer.created"]]


def test_endpoints_by_the_api(v1, receiver):
    made = v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["invoice.paid"]})
    read = v1.webhook_endpoints.retrieve(made.id)
    disabled = v1.webhook_endpoints.update(made.id, {"disabled": True, "enabled_events": ["*"]})
    deleted = v1.webhook_endpoints.delete(made.id)

    assert made.secret.startswith("whsec_")
    assert "secret" not in read
    assert (disabled.status, list(disabled.enabled_events)) == ("disabled", ["*"])
    assert deleted.deleted
    refused(stripe.InvalidRequestError, v1.webhook_endpoints.retrieve, made.id)
    refused(stripe.InvalidRequestError, v1.webhook_endpoints.create, {"url": "x", "enabled_events": ["*"]})


def test_events_are_listed_by_type(shop, v1):
    shop.subscribe(shop.customer(), shop.pro)

    some = v1.events.list({"types": ["invoice.paid", "charge.succeeded"]}).data
    kind = v1.events.list({"type": "charge.*"}).data

    assert [event.type for event in some] == ["invoice.paid", "charge.succeeded"]
    assert [event.type for event in kind] == ["charge.succeeded"]
    assert v1.events.retrieve(some[0].id).id == some[0].id
