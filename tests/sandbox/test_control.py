"""The controls: clock, counts, pages."""

import urllib.parse
import urllib.request

import pytest

from .conftest import NEW_YEAR


def page(sandbox, path, form=None):
    body = form and urllib.parse.urlencode(form).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"} if form else {}
    request = urllib.request.Request(sandbox.server.url + path, body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def test_health(sandbox):
    status, answer = sandbox.control("GET", "/_sandbox/health")

    assert status == 200
    assert answer["ok"]


def test_operations_are_counted_and_forgotten(sandbox, v1):
    v1.customers.create({})
    v1.customers.list()
    v1.customers.list()
    counted = sandbox.control("GET", "/_sandbox/calls")[1]

    sandbox.control("DELETE", "/_sandbox/calls")

    assert counted == {"calls": {"Customer.create": 1, "Customer.list": 2}, "total": 3}
    assert sandbox.control("GET", "/_sandbox/calls")[1] == {"calls": {}, "total": 0}


def test_the_clock_stands_runs_and_goes_forward_only(sandbox, v1):
    sandbox.freeze(NEW_YEAR)
    frozen = v1.customers.create({}).created
    back = sandbox.control("POST", "/_sandbox/clock", {"frozen_at": NEW_YEAR - 1})
    sandbox.advance(days=1)
    later = v1.customers.create({}).created
    nonsense = sandbox.control("POST", "/_sandbox/clock", {"frozen_at": 1, "advance_to": 2})

    assert (frozen, later) == (NEW_YEAR, NEW_YEAR + 86_400)
    assert back[0] == nonsense[0] == 400
    assert sandbox.control("GET", "/_sandbox/clock")[1]["frozen"]


def test_a_running_clock_can_be_ahead(sandbox):
    _, answer = sandbox.control("POST", "/_sandbox/clock", {"offset_seconds": 86_400})

    assert not answer["frozen"]
    assert sandbox.control("POST", "/_sandbox/clock", {"offset_seconds": 0})[0] == 400


def test_what_falls_due_on_the_way_happens_at_its_own_time(shop, sandbox, v1):
    waiting = shop.subscribe(shop.customer(), shop.pro, payment_behavior="default_incomplete")

    sandbox.advance(days=10)

    expired = v1.subscriptions.retrieve(waiting.id)
    assert expired.ended_at == NEW_YEAR + 23 * 3600


def test_the_page_of_an_intent_has_its_two_buttons(shop, sandbox, v1):
    intent = v1.payment_intents.create(
        {"amount": 1234, "currency": "usd", "payment_method": "pm_card_authenticationRequired", "confirm": True}
    )
    address = f"/_sandbox/authenticate?client_secret={intent.client_secret}"

    shown = page(sandbox, address)
    done = page(sandbox, "/_sandbox/authenticate", {"client_secret": intent.client_secret, "outcome": "complete"})

    assert 'id="complete"' in shown
    assert 'id="fail"' in shown
    assert 'id="card"' not in shown
    assert "12.34 USD" in shown
    assert "succeeded" in done
    assert "Nothing is left" in page(sandbox, address)


def test_the_page_of_an_intent_without_a_method_offers_cards(shop, sandbox):
    intent = shop.v1.setup_intents.create({"customer": shop.customer(card=None).id})

    shown = page(sandbox, f"/_sandbox/authenticate?client_secret={intent.client_secret}")
    declined = page(
        sandbox,
        "/_sandbox/authenticate",
        {"client_secret": intent.client_secret, "outcome": "complete", "card": "visa_chargeDeclined"},
    )

    assert 'id="card"' in shown
    assert "Your card was declined." in declined


@pytest.mark.parametrize("said", [{"client_secret": "pi_x_secret_y", "outcome": "complete"}, {"outcome": "maybe"}, {}])
def test_nonsense_is_refused(sandbox, said):
    assert sandbox.control("POST", "/_sandbox/authenticate", said)[0] in (400, 404)


def test_the_state_page_escapes_what_it_shows(shop, sandbox):
    shop.subscribe(shop.customer(), shop.pro)
    sandbox.control("GET", "/v1/customers/<script>alert(1)</script>")

    shown = page(sandbox, "/_sandbox/")

    assert "<script>" not in shown
    assert "customer.subscription.created" in shown


@pytest.mark.parametrize(
    ("card", "complete", "status"),
    [
        ("visa", True, "succeeded"),
        ("visa", False, "requires_payment_method"),
        ("authenticationRequired", True, "succeeded"),
        ("authenticationRequired", False, "requires_payment_method"),
        ("chargeCustomerFail", True, "requires_payment_method"),
    ],
)
def test_the_customer_pays_with_a_chosen_card_or_fails(sandbox, v1, card, complete, status):
    intent = v1.payment_intents.create({"amount": 1234, "currency": "usd"})

    answer = sandbox.authenticate(intent.client_secret, complete=complete, card=card)

    assert answer["status"] == status
