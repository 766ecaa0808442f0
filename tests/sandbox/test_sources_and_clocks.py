"""Cards in the older form, what banks do to saved cards, and test clocks."""

import time

import pytest
import stripe

from .conftest import NEW_YEAR, refused

DAY = 86_400


def test_a_source_pays_like_any_card(shop, sandbox):
    customer = shop.customer(card=None)
    sources = shop.v1.customers.payment_sources
    first = sources.create(customer.id, {"source": "tok_visa", "metadata": {"a": "1"}})
    second = sources.create(customer.id, {"source": "tok_mastercard"})

    subscription = shop.subscribe(customer, shop.pro)
    changed = sources.update(customer.id, first.id, {"exp_year": 2040, "name": "B"})
    deleted = sources.delete(customer.id, first.id)

    assert (first.object, first.last4, second.brand) == ("card", "4242", "Mastercard")
    assert subscription.status == "active"
    assert (changed.exp_year, changed.name) == (2040, "B")
    assert deleted.deleted
    assert [card.id for card in sources.list(customer.id).data] == [second.id]
    after = shop.v1.customers.retrieve(customer.id, {"expand": ["sources", "default_source"]})
    assert (after.default_source.id, after.sources.data[0].last4) == (second.id, "4444")
    updates = shop.v1.events.list({"type": "customer.source.updated"}).data
    assert updates[0].data.previous_attributes.to_dict()["name"] is None
    assert "customer.source.deleted" in sandbox.event_types()


@pytest.mark.parametrize("token", ["tok_unknown", "tok_visa_chargeDeclined"])
def test_a_source_is_refused(shop, token):
    customer = shop.customer(card=None)

    refused(stripe.StripeError, shop.v1.customers.payment_sources.create, customer.id, {"source": token})

    assert shop.v1.customers.payment_sources.list(customer.id).data == []


def test_another_customers_source_is_not_found(shop):
    owner, other = shop.customer(card=None), shop.customer(card=None)
    card = shop.v1.customers.payment_sources.create(owner.id, {"source": "tok_visa"})

    error = refused(stripe.InvalidRequestError, shop.v1.customers.payment_sources.delete, other.id, card.id)

    assert error.http_status == 404


@pytest.mark.parametrize(("month", "status"), [(1, "active"), (12, "past_due")])
def test_a_card_expires_after_its_last_month(shop, sandbox, month, status):
    customer = shop.customer()
    method = shop.v1.customers.retrieve(customer.id).invoice_settings.default_payment_method
    subscription = shop.subscribe(customer, shop.pro)
    year = 2027 if month == 1 else 2026
    shop.v1.payment_methods.update(method, {"card": {"exp_month": month + (month == 1), "exp_year": year}})

    sandbox.advance(days=32)

    assert shop.v1.subscriptions.retrieve(subscription.id).status == status


def test_the_card_updater_makes_a_card_work_again(shop, sandbox):
    customer = shop.customer("chargeCustomerFail")
    method = shop.v1.customers.retrieve(customer.id).invoice_settings.default_payment_method
    waiting = shop.subscribe(customer, shop.pro)

    sandbox.control("POST", "/_sandbox/card_updater", {"payment_method": method, "exp_year": 2045, "last4": "1111"})
    paid = shop.v1.invoices.pay(waiting.latest_invoice)

    assert paid.status == "paid"
    event = shop.v1.events.list({"type": "payment_method.automatically_updated"}).data[0]
    assert event.data.object.card.exp_year == 2045


def test_a_revoked_mandate_declines(shop, sandbox):
    customer = shop.customer(card=None)
    said = {"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True}
    setup = shop.v1.setup_intents.create(said)
    shop.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": setup.payment_method}})

    sandbox.control("POST", "/_sandbox/mandates", {"mandate": setup.mandate})
    error = refused(stripe.CardError, shop.subscribe, customer, shop.pro, payment_behavior="error_if_incomplete")

    assert error.error.decline_code == "revocation_of_authorization"
    assert shop.v1.mandates.retrieve(setup.mandate).status == "inactive"
    assert "mandate.updated" in sandbox.event_types()


def test_a_test_clock_moves_the_time(shop, sandbox):
    clocks = shop.v1.test_helpers.test_clocks
    clock = clocks.create({"frozen_time": NEW_YEAR, "name": "renewal"})
    customer = shop.v1.customers.create({"test_clock": clock.id, "payment_method": "pm_card_visa"})
    method = shop.v1.customers.payment_methods.list(customer.id).data[0].id
    subscription = shop.subscribe(customer, shop.pro, default_payment_method=method)

    moving = clocks.advance(clock.id, {"frozen_time": NEW_YEAR + 32 * DAY})
    deadline = time.monotonic() + 5
    while clocks.retrieve(clock.id).status != "ready" and time.monotonic() < deadline:
        time.sleep(0.01)
    arrived = clocks.retrieve(clock.id)

    assert (moving.status, moving.status_details.advancing.target_frozen_time) == ("advancing", NEW_YEAR + 32 * DAY)
    assert arrived.frozen_time == NEW_YEAR + 32 * DAY
    assert len(shop.v1.invoices.list({"subscription": subscription.id, "status": "paid"}).data) == 2
    refused(stripe.InvalidRequestError, clocks.advance, clock.id, {"frozen_time": NEW_YEAR})
    assert [found.id for found in clocks.list().data] == [clock.id]
    assert clocks.delete(clock.id).deleted
    assert shop.v1.customers.retrieve(customer.id).deleted
    assert not sandbox.world.clock.is_frozen


def test_a_test_clock_cannot_go_back(shop):
    refused(stripe.InvalidRequestError, shop.v1.test_helpers.test_clocks.create, {"frozen_time": NEW_YEAR - DAY})
