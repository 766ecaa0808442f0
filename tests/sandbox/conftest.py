"""A fresh sandbox for each test, in this process, and the real SDK to talk to it. No Django, no database."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe

from sandbox.delivery import Courier
from sandbox.server import SandboxServer
from sandbox.timekeeper import Timekeeper
from sandbox.world import World

from .stripe_schema import CheckedClient

# 1 January 2027, 00:00 UTC: a clock that stands still makes amounts and dates exact.
NEW_YEAR = 1_798_761_600


class RunningSandbox:
    """A sandbox that serves, the SDK's v1 client for it, and its control calls."""

    def __init__(self) -> None:
        self.world = World.open(None)
        self.server = SandboxServer(self.world, 0)
        self.threads = (Timekeeper(self.world), Courier(self.world))
        for thread in self.threads:
            thread.start()
        serve = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
        serve.start()
        self.client = sdk(self.server.url)
        self.v1 = self.client.v1

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a control call and return (status, decoded answer)."""
        return control(self.server.url, method, path, body)

    def freeze(self, at: float = NEW_YEAR) -> None:
        status, answer = self.control("POST", "/_sandbox/clock", {"frozen_at": at})
        assert status == 200, answer

    def advance(self, **duration: float) -> None:
        """Move the frozen clock on by days, hours, minutes, seconds."""
        seconds = {"days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
        later = self.world.clock.now() + sum(seconds[unit] * amount for unit, amount in duration.items())
        status, answer = self.control("POST", "/_sandbox/clock", {"advance_to": later})
        assert status == 200, answer

    def wait_until(self, is_so: Callable[[Any], bool]) -> None:
        """Wait until what is pending is as expected, five seconds at most."""
        deadline = time.monotonic() + 5
        while not is_so(self.control("GET", "/_sandbox/pending")[1]):
            assert time.monotonic() < deadline, self.control("GET", "/_sandbox/pending")[1]
            time.sleep(0.005)

    def authenticate(self, client_secret: str, *, complete: bool, card: str | None = None) -> Any:
        said = {"client_secret": client_secret, "outcome": "complete" if complete else "fail"}
        status, answer = self.control("POST", "/_sandbox/authenticate", said | ({"card": card} if card else {}))
        assert status == 200, answer
        return answer

    def event_types(self, since: int = 0) -> list[str]:
        """Return the types of all events, oldest first, without the first `since`."""
        return [event["type"] for event in self.world.documents.oldest_first("event")][since:]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        for thread in self.threads:
            thread.stop()


def sdk(url: str, **options: Any) -> stripe.StripeClient:
    """Return the official SDK's client, checked against Stripe's schema at every call."""
    return stripe.StripeClient(
        "sk_test_checked", base_addresses={"api": url}, http_client=CheckedClient(), max_network_retries=0, **options
    )


def control(url: str, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"content-type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    running = RunningSandbox()
    yield running
    running.stop()


@pytest.fixture
def v1(sandbox: RunningSandbox) -> Any:
    return sandbox.v1


@pytest.fixture
def shop(sandbox: RunningSandbox) -> "Shop":
    return Shop(sandbox)


class Shop:
    """The things most stories begin with: a clock that stands still, a monthly price, a customer with a card."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        sandbox.freeze()
        self.sandbox = sandbox
        self.v1 = sandbox.v1
        self.product = self.v1.products.create({"name": "Pro"})
        self.pro = self.price(20_00)
        self.business = self.price(200_00)

    def price(self, unit_amount: int, interval: str | None = "month", **more: Any) -> Any:
        recurring = {"recurring": {"interval": interval}} if interval else {}
        said = {"product": self.product.id, "currency": "usd", "unit_amount": unit_amount, **recurring, **more}
        return self.v1.prices.create(said)

    def customer(self, card: str | None = "visa") -> Any:
        """Return a customer whose default method is that test card; None has no method."""
        customer = self.v1.customers.create({"email": "someone@example.com", "name": "Someone"})
        if card is not None:
            self.give_card(customer.id, card)
        return customer

    def give_card(self, customer_id: str, card: str) -> str:
        method = self.v1.payment_methods.attach(f"pm_card_{card}", {"customer": customer_id})
        self.v1.customers.update(customer_id, {"invoice_settings": {"default_payment_method": method.id}})
        return str(method.id)

    def subscribe(self, customer: Any, *items: Any, **more: Any) -> Any:
        """Create a subscription of prices, or of (price, quantity); paid at once unless told otherwise."""
        listed = [item if isinstance(item, tuple) else (item, 1) for item in items]
        return self.v1.subscriptions.create(
            {
                "customer": customer.id,
                "items": [{"price": price.id, "quantity": quantity} for price, quantity in listed],
                **more,
            }
        )


def refused(kind: type[stripe.StripeError], call: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the error with which a call was refused, of that kind."""
    with pytest.raises(kind) as caught:
        call(*args, **kwargs)
    return caught.value
