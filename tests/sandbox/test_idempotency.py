"""Idempotency keys, and what is left after the sandbox was killed."""

import contextlib
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import stripe

from sandbox.world import World

from .conftest import control, refused, sdk
from .receiver import SECRET, Receiver
from .test_protocol import raw

ROOT = Path(__file__).parents[2]
KEY = {"idempotency_key": "wf_1_step_3_0"}


@contextlib.contextmanager
def process(data_dir, *options):
    """Run `python -m sandbox` on a free port; yield (process, url) and make sure that it is gone."""
    argv = [sys.executable, "-m", "sandbox", "--port", "0", "--data-dir", str(data_dir), *options]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running, running.stdout.readline().split()[-1]
        finally:
            running.kill()


def test_a_repeat_gets_the_first_answer_and_does_nothing(sandbox, v1):
    first = v1.customers.create({"email": "a@example.com"}, KEY)
    sandbox.v1.customers.update(first.id, {"email": "b@example.com"})

    again = v1.customers.create({"email": "a@example.com"}, KEY)

    assert (again.id, again.email) == (first.id, "a@example.com")
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert again.last_response.headers["original-request"] == first.last_response.request_id
    assert len(v1.customers.list().data) == 1


@pytest.mark.parametrize("said", [{"email": "b@example.com"}, {}, {"email": "a@example.com", "name": "A"}])
def test_the_same_key_with_other_parameters_is_refused(v1, said):
    v1.customers.create({"email": "a@example.com"}, KEY)

    error = refused(stripe.IdempotencyError, v1.customers.create, said, KEY)

    assert error.http_status == 400


def test_the_same_key_on_another_path_is_refused(v1):
    customer = v1.customers.create({"name": "A"}, KEY)

    refused(stripe.IdempotencyError, v1.customers.update, customer.id, {"name": "A"}, KEY)


def test_a_declined_payment_is_replayed_not_repeated(shop):
    waiting = shop.subscribe(shop.customer("chargeCustomerFail"), shop.pro, payment_behavior="default_incomplete")
    first = refused(stripe.CardError, shop.v1.invoices.pay, waiting.latest_invoice, {}, KEY)
    shop.give_card(waiting.customer, "visa")

    again = refused(stripe.CardError, shop.v1.invoices.pay, waiting.latest_invoice, {}, KEY)

    assert again.json_body == first.json_body
    assert shop.v1.invoices.retrieve(waiting.latest_invoice).attempt_count == 1


def test_a_request_that_never_began_keeps_no_answer(v1):
    refused(stripe.InvalidRequestError, v1.customers.create, {"no_such_parameter": 1}, KEY)

    assert v1.customers.create({"name": "A"}, KEY).name == "A"


@pytest.mark.parametrize(("hours", "customers"), [(23.99, 1), (24, 2)])
def test_keys_are_forgotten_after_24_hours(sandbox, v1, hours, customers):
    sandbox.freeze()
    v1.customers.create({"name": "A"}, KEY)

    sandbox.advance(hours=hours)
    v1.customers.create({"name": "A"}, KEY)

    assert len(v1.customers.list().data) == customers


def test_a_key_means_nothing_on_a_get_or_a_delete(sandbox, v1):
    customer = v1.customers.create({"name": "A"})

    for path in ("/v1/customers", f"/v1/customers/{customer.id}"):
        assert raw(sandbox, "GET", path, idempotency_key="one")[0] == 200


def test_a_second_request_while_the_first_is_at_work_is_refused(sandbox, v1):
    statuses = []
    with sandbox.world.lock:
        first = threading.Thread(
            target=lambda: statuses.append(raw(sandbox, "POST", "/v1/customers", idempotency_key="k"))
        )
        first.start()
        while not sandbox.server.stripe.keys_in_use:
            threading.Event().wait(0.005)
        second, _, body = raw(sandbox, "POST", "/v1/customers", idempotency_key="k")
    first.join()

    assert (second, body["error"]["code"]) == (409, "idempotency_key_in_use")
    assert statuses[0][0] == 200


def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path):
    with process(tmp_path) as (running, url):
        v1 = sdk(url).v1
        control(url, "POST", "/_sandbox/clock", {"frozen_at": 2_000_000_000})
        customer = v1.customers.create({"email": "a@example.com"}, KEY)
        v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
        product = v1.products.create({"name": "Pro"})
        price = v1.prices.create(
            {"product": product.id, "currency": "usd", "unit_amount": 20_00, "recurring": {"interval": "month"}}
        )
        said = {"customer": customer.id, "items": [{"price": price.id}], "payment_behavior": "default_incomplete"}
        waiting = v1.subscriptions.create(said, {"idempotency_key": "second"})
        running.send_signal(signal.SIGKILL)
        running.wait()

    with process(tmp_path) as (_, url):
        v1 = sdk(url).v1
        replayed = v1.customers.create({"email": "a@example.com"}, KEY)
        subscription = v1.subscriptions.create(said, {"idempotency_key": "second"})
        refused(stripe.IdempotencyError, v1.customers.create, {"email": "other@example.com"}, KEY)
        _, pending = control(url, "GET", "/_sandbox/pending")
        _, calls = control(url, "GET", "/_sandbox/calls")
        methods = v1.customers.payment_methods.list(customer.id).data

    assert replayed.id == customer.id
    assert replayed.last_response.headers["idempotent-replayed"] == "true"
    assert subscription.id == waiting.id
    assert pending["now"] == 2_000_000_000
    assert {entry["act"] for entry in pending["agenda"]} >= {"expire_incomplete"}
    assert calls["calls"]["Subscription.create"] == 2
    assert len(methods) == 1


def test_a_payment_whose_answer_was_cut_is_made_once_though_the_sandbox_was_killed(tmp_path):
    with process(tmp_path) as (running, url):
        v1 = sdk(url).v1
        customer = v1.customers.create({"payment_method": "pm_card_visa"})
        v1.invoice_items.create({"customer": customer.id, "amount": 20_00, "currency": "usd"})
        invoice = v1.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})
        v1.invoices.finalize_invoice(invoice.id)
        said = {"payment_method": v1.customers.payment_methods.list(customer.id).data[0].id}
        control(url, "POST", "/_sandbox/faults", {"kind": "cut", "operation": "Invoice.pay"})
        refused(stripe.APIConnectionError, v1.invoices.pay, invoice.id, said, KEY)
        running.send_signal(signal.SIGKILL)
        running.wait()

    with process(tmp_path) as (_, url):
        v1 = sdk(url).v1
        paid = v1.invoices.pay(invoice.id, said, KEY)
        charges = v1.charges.list({"customer": customer.id}).data

    assert (paid.status, paid.last_response.headers["idempotent-replayed"]) == ("paid", "true")
    assert [(charge.amount, charge.status) for charge in charges] == [(20_00, "succeeded")]


def test_it_stops_cleanly_when_told_to(tmp_path):
    with process(tmp_path) as (running, url):
        sdk(url).v1.customers.create({"name": "A"})
        running.terminate()
        status = running.wait(timeout=10)

    with process(tmp_path) as (_, url):
        customers = sdk(url).v1.customers.list().data

    assert status == 0
    assert len(customers) == 1


def test_what_cannot_be_written_did_not_happen(tmp_path, monkeypatch):
    world = World.open(tmp_path)

    def fails(_changes):
        raise OSError("disk full")

    monkeypatch.setattr(world.documents.store, "write", fails)
    with pytest.raises(OSError, match="disk full"), world.transaction():
        world.add({"id": "cus_1", "object": "customer"})

    assert world.documents.get("customer", "cus_1") is None


def test_a_port_that_is_taken_is_a_sentence(sandbox, tmp_path):
    port = str(sandbox.server.server_address[1])
    argv = [sys.executable, "-m", "sandbox", "--port", port, "--data-dir", str(tmp_path)]

    ended = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_undelivered_webhook_survives_a_kill(tmp_path):
    gone = Receiver()
    port = gone.server_address[1]
    gone.stop()
    with process(tmp_path) as (running, url):
        control(url, "PUT", "/_sandbox/endpoints", {"url": gone.url, "secret": SECRET, "enabled_events": ["*"]})
        customer = sdk(url).v1.customers.create({"name": "A"})
        running.send_signal(signal.SIGKILL)
        running.wait()

    back = Receiver(port)
    with process(tmp_path):
        back.wait_for(1)
    back.stop()

    assert [(event["type"], event["data"]["object"]["id"]) for event in back.events] == [
        ("customer.created", customer.id)
    ]
