"""Customers, their cards, and the table of test cards."""

import pytest
import stripe

from sandbox.stripe.cards import CARDS, DECLINES, Authentication

from .conftest import refused


def numbered(number: str, **more: object) -> dict[str, object]:
    return {"type": "card", "card": {"number": number, "exp_month": 3, "exp_year": 2031, "cvc": "123"}, **more}


def test_a_customer_is_made_changed_and_deleted(shop, v1):
    customer = v1.customers.create(
        {
            "email": "a@example.com",
            "address": {"country": "DE", "line1": "Weg 1"},
            "payment_method": "pm_card_visa",
            "preferred_locales": ["de"],
        }
    )
    method = v1.customers.payment_methods.list(customer.id).data[0]
    changed = v1.customers.update(
        customer.id, {"name": "A", "invoice_settings": {"default_payment_method": method.id}, "address": ""}
    )
    subscription = shop.subscribe(customer, shop.pro)

    deleted = v1.customers.delete(customer.id)

    assert (changed.name, changed.address) == ("A", None)
    assert changed.invoice_settings.default_payment_method == method.id
    assert deleted.deleted
    assert v1.customers.retrieve(customer.id).deleted
    assert v1.subscriptions.retrieve(subscription.id).status == "canceled"
    assert v1.payment_methods.retrieve(method.id).customer is None
    assert customer.id not in [found.id for found in v1.customers.list().data]
    refused(stripe.InvalidRequestError, v1.customers.update, customer.id, {"name": "B"})


def test_customers_are_found_by_email(v1):
    wanted = v1.customers.create({"email": "a@example.com"})
    v1.customers.create({"email": "b@example.com"})

    assert [found.id for found in v1.customers.list({"email": "a@example.com"}).data] == [wanted.id]


def test_a_method_belongs_to_one_customer_and_only_once(shop, v1):
    owner, other = shop.customer(card=None), shop.customer(card=None)
    method = v1.payment_methods.create(numbered("4242424242424242", billing_details={"name": "A"}))
    attached = v1.payment_methods.attach(method.id, {"customer": owner.id})
    renamed = v1.payment_methods.update(method.id, {"billing_details": {"name": "B"}, "metadata": {"a": "1"}})
    foreign = {"invoice_settings": {"default_payment_method": method.id}}

    refused(stripe.InvalidRequestError, v1.payment_methods.attach, method.id, {"customer": other.id})
    refused(stripe.InvalidRequestError, v1.customers.update, other.id, foreign)
    detached = v1.payment_methods.detach(method.id)
    refused(stripe.InvalidRequestError, v1.payment_methods.attach, method.id, {"customer": owner.id})
    refused(stripe.InvalidRequestError, v1.payment_methods.detach, method.id)

    assert (attached.customer, attached.card.last4, attached.card.exp_year) == (owner.id, "4242", 2031)
    assert renamed.billing_details.name == "B"
    assert detached.customer is None


def test_detaching_a_default_leaves_no_default(shop, v1):
    customer = shop.customer()
    default = customer = v1.customers.retrieve(customer.id)
    subscription = shop.subscribe(
        customer, shop.pro, default_payment_method=customer.invoice_settings.default_payment_method
    )

    v1.payment_methods.detach(default.invoice_settings.default_payment_method)

    assert v1.customers.retrieve(customer.id).invoice_settings.default_payment_method is None
    assert v1.subscriptions.retrieve(subscription.id).default_payment_method is None


def test_methods_are_listed_newest_first(shop, v1):
    customer = shop.customer(card=None)
    first, second = (v1.payment_methods.create(numbered("4242424242424242")).id for _ in range(2))
    v1.payment_methods.attach(second, {"customer": customer.id})
    v1.payment_methods.attach(first, {"customer": customer.id})

    assert [method.id for method in v1.payment_methods.list({"customer": customer.id}).data] == [second, first]
    assert [method.id for method in v1.customers.payment_methods.list(customer.id).data] == [second, first]


@pytest.mark.parametrize("number", ["4000056655665564", "5105105105105100", "4111111111111111"])
def test_a_number_that_is_no_test_card_is_refused(v1, sandbox, number):
    error = refused(stripe.CardError, v1.payment_methods.create, numbered(number))

    assert (error.code, error.error.decline_code) == ("card_declined", "test_mode_live_card")
    assert number not in str(sandbox.world.documents.spaces)


@pytest.mark.parametrize("number", ["4242424242424241", "1234", "not a number"])
def test_a_number_with_a_wrong_check_digit_is_refused(v1, number):
    assert refused(stripe.CardError, v1.payment_methods.create, numbered(number)).code == "incorrect_number"


def test_no_number_is_kept(v1, sandbox):
    for card in CARDS:
        v1.payment_methods.create(numbered(card.number))

    kept = str(sandbox.world.documents.spaces)

    assert not [card.number for card in CARDS if card.number in kept]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.alias)
def test_every_card_answers_as_the_table_says(shop, v1, card):
    customer = shop.customer(card=None)
    said = {"amount": 10_00, "currency": "usd", "customer": customer.id}

    if card.on_attach is not None:
        wanted = DECLINES[card.on_attach]
        error = refused(stripe.CardError, v1.payment_methods.attach, f"pm_card_{card.alias}", {"customer": customer.id})
        assert (error.code, error.error.decline_code) == (wanted.code, wanted.decline_code)
        method = f"pm_card_{card.alias}"
    else:
        method = v1.payment_methods.attach(f"pm_card_{card.alias}", {"customer": customer.id}).id
    intent = v1.payment_intents.create({**said, "payment_method": method})

    if card.authentication is not Authentication.NEVER:
        off_session = refused(stripe.CardError, v1.payment_intents.confirm, intent.id, {"off_session": True})
        on_session = v1.payment_intents.confirm(intent.id, {"payment_method": method})
        assert (off_session.code, off_session.error.decline_code) == ("authentication_required",) * 2
        assert on_session.status == "requires_action"
        answer = shop.sandbox.authenticate(intent.client_secret, complete=True)
        expected = "requires_payment_method" if card.on_charge else "succeeded"
        assert answer["status"] == expected
    elif card.on_charge is not None:
        wanted = DECLINES[card.on_charge]
        error = refused(stripe.CardError, v1.payment_intents.confirm, intent.id)
        assert (error.code, error.error.decline_code) == (wanted.code, wanted.decline_code)
        assert error.error.advice_code == wanted.advice_code
    else:
        assert v1.payment_intents.confirm(intent.id).status == "succeeded"


def test_a_saved_card_can_be_turned(shop, v1, sandbox):
    customer = shop.customer()
    method = v1.customers.retrieve(customer.id).invoice_settings.default_payment_method
    sandbox.control("POST", "/_sandbox/payment_methods", {"payment_method": method, "outcome": "insufficient_funds"})

    error = refused(stripe.CardError, shop.subscribe, customer, shop.pro, payment_behavior="error_if_incomplete")
    sandbox.control("POST", "/_sandbox/payment_methods", {"payment_method": method, "outcome": "ok"})

    assert error.error.decline_code == "insufficient_funds"
    assert shop.subscribe(customer, shop.pro, payment_behavior="error_if_incomplete").status == "active"


def test_a_balance_that_is_set_is_an_adjustment(v1):
    customer = v1.customers.create({"balance": -5_00})
    v1.customers.update(customer.id, {"balance": 2_00})

    moved = v1.customers.balance_transactions.list(customer.id).data

    assert [(one.type, one.amount, one.ending_balance) for one in moved] == [
        ("adjustment", 7_00, 2_00),
        ("adjustment", -5_00, -5_00),
    ]
