"""PaymentIntents, SetupIntents, charges and mandates."""

import pytest
import stripe

from .conftest import refused

TEN = {"amount": 10_00, "currency": "usd"}


def test_an_intent_is_made_changed_and_paid(shop, v1):
    customer = shop.customer(card=None)
    intent = v1.payment_intents.create({**TEN, "customer": customer.id, "metadata": {"a": "1"}})
    changed = v1.payment_intents.update(intent.id, {"amount": 12_00, "description": "x"})

    refused(stripe.InvalidRequestError, v1.payment_intents.confirm, intent.id)
    paid = v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa", "setup_future_usage": "off_session"}
    )

    assert (intent.status, changed.amount) == ("requires_payment_method", 12_00)
    assert (paid.status, paid.amount_received) == ("succeeded", 12_00)
    charge = v1.charges.retrieve(paid.latest_charge)
    assert (charge.amount, charge.paid, charge.customer) == (12_00, True, customer.id)
    assert charge.metadata.to_dict() == {"a": "1"}
    assert v1.payment_methods.retrieve(paid.payment_method).customer == customer.id
    assert [found.id for found in v1.payment_intents.list({"customer": customer.id}).data] == [intent.id]
    refused(stripe.InvalidRequestError, v1.payment_intents.confirm, intent.id)
    refused(stripe.InvalidRequestError, v1.payment_intents.cancel, intent.id)


def test_a_method_that_was_not_saved_is_used_up(v1):
    method = v1.payment_methods.create(
        {"type": "card", "card": {"number": "4242424242424242", "exp_month": 1, "exp_year": 2031}}
    )
    v1.payment_intents.create({**TEN, "payment_method": method.id, "confirm": True})

    refused(
        stripe.InvalidRequestError,
        v1.payment_intents.create,
        {**TEN, "payment_method": method.id, "confirm": True},
    )


def test_another_customers_method_cannot_pay(shop, v1):
    owner, other = shop.customer(), shop.customer(card=None)
    method = v1.customers.retrieve(owner.id).invoice_settings.default_payment_method

    refused(
        stripe.InvalidRequestError,
        v1.payment_intents.create,
        {**TEN, "customer": other.id, "payment_method": method, "confirm": True},
    )


@pytest.mark.parametrize(("amount", "taken"), [(49, False), (50, True)])
def test_the_smallest_payment(v1, amount, taken):
    said = {"amount": amount, "currency": "usd"}

    if taken:
        assert v1.payment_intents.create(said).amount == amount
    else:
        assert refused(stripe.InvalidRequestError, v1.payment_intents.create, said).code == "amount_too_small"


def test_cancelling_an_intent(sandbox, v1):
    intent = v1.payment_intents.create(TEN)

    cancelled = v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
    assert sandbox.event_types() == ["payment_intent.created", "payment_intent.canceled"]


def test_an_invoices_intent_is_changed_through_the_invoice_only(shop, v1):
    waiting = shop.subscribe(
        shop.customer(), shop.pro, payment_behavior="default_incomplete", expand=["latest_invoice.payments"]
    )
    intent = waiting.latest_invoice.payments.data[0].payment.payment_intent

    refused(stripe.InvalidRequestError, v1.payment_intents.cancel, intent)
    refused(stripe.InvalidRequestError, v1.payment_intents.update, intent, {"amount": 1_00})
    found = v1.invoice_payments.list({"payment": {"type": "payment_intent", "payment_intent": intent}}).data

    assert [payment.invoice for payment in found] == [waiting.latest_invoice.id]
    assert v1.invoice_payments.retrieve(found[0].id).amount_requested == 20_00


def test_failed_authentication_is_a_failed_payment(sandbox, v1):
    intent = v1.payment_intents.create({**TEN, "payment_method": "pm_card_authenticationRequired", "confirm": True})

    sandbox.authenticate(intent.client_secret, complete=False)

    failed = v1.payment_intents.retrieve(intent.id)
    assert intent.next_action.type == "use_stripe_sdk"
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    assert sandbox.event_types()[-1] == "payment_intent.payment_failed"


def test_a_setup_intent_saves_a_card_with_a_mandate(shop, sandbox, v1):
    customer = shop.customer(card=None)
    before = len(sandbox.event_types())
    intent = v1.setup_intents.create({"customer": customer.id, "usage": "off_session", "metadata": {"a": "1"}})
    v1.setup_intents.update(intent.id, {"description": "x"})

    saved = v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})

    assert (intent.status, saved.status) == ("requires_payment_method", "succeeded")
    mandate = v1.mandates.retrieve(saved.mandate)
    assert (mandate.status, mandate.payment_method) == ("active", saved.payment_method)
    assert v1.payment_methods.retrieve(saved.payment_method).customer == customer.id
    assert [found.id for found in v1.setup_intents.list({"customer": customer.id}).data] == [intent.id]
    assert sandbox.event_types(before) == [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
    ]
    refused(stripe.InvalidRequestError, v1.setup_intents.confirm, intent.id)
    refused(stripe.InvalidRequestError, v1.setup_intents.cancel, intent.id)


@pytest.mark.parametrize(
    ("complete", "status", "event"),
    [(True, "succeeded", "setup_intent.succeeded"), (False, "requires_payment_method", "setup_intent.setup_failed")],
)
def test_setting_up_may_want_the_customer(shop, sandbox, v1, complete, status, event):
    customer = shop.customer(card=None)
    said = {"customer": customer.id, "payment_method": "pm_card_authenticationRequiredOnSetup", "confirm": True}
    intent = v1.setup_intents.create(said)

    answer = sandbox.authenticate(intent.client_secret, complete=complete)

    assert intent.status == "requires_action"
    assert answer["status"] == status
    assert sandbox.event_types()[-1] == event


def test_a_declining_card_is_not_saved(shop, v1):
    customer = shop.customer(card=None)
    intent = v1.setup_intents.create({"customer": customer.id})

    error = refused(
        stripe.CardError, v1.setup_intents.confirm, intent.id, {"payment_method": "pm_card_visa_chargeDeclined"}
    )

    assert error.code == "card_declined"
    assert error.error.setup_intent.status == "requires_payment_method"
    assert v1.customers.payment_methods.list(customer.id).data == []
    cancelled = v1.setup_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert cancelled.status == "canceled"


def test_a_card_set_up_by_a_payment_is_not_asked_again(shop, sandbox, v1):
    customer = shop.customer(card=None)
    method = v1.payment_methods.attach("pm_card_authenticationRequiredOnSetup", {"customer": customer.id}).id
    said = {**TEN, "customer": customer.id, "payment_method": method, "confirm": True}
    first = v1.payment_intents.create({**said, "setup_future_usage": "off_session"})

    sandbox.authenticate(first.client_secret, complete=True)
    second = v1.payment_intents.create({**said, "off_session": True})

    assert (first.status, second.status) == ("requires_action", "succeeded")


@pytest.mark.parametrize(("said", "captured"), [({}, 10_00), ({"amount_to_capture": 4_00}, 4_00)])
def test_authorised_money_is_taken_later(sandbox, v1, said, captured):
    intent = v1.payment_intents.create(
        {**TEN, "payment_method": "pm_card_visa", "capture_method": "manual", "confirm": True}
    )

    taken = v1.payment_intents.capture(intent.id, said)

    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 10_00, 0)
    assert (taken.status, taken.amount_received) == ("succeeded", captured)
    assert v1.charges.retrieve(taken.latest_charge).amount_captured == captured
    assert sandbox.event_types()[-2:] == ["charge.captured", "payment_intent.succeeded"]
    refused(stripe.InvalidRequestError, v1.payment_intents.capture, intent.id)


def test_an_authorisation_can_be_released(v1):
    said = {**TEN, "payment_method": "pm_card_visa", "capture_method": "manual", "confirm": True}
    intent = v1.payment_intents.create(said)

    refused(stripe.InvalidRequestError, v1.payment_intents.capture, intent.id, {"amount_to_capture": 10_01})
    released = v1.payment_intents.cancel(intent.id)

    assert (released.status, released.amount_capturable) == ("canceled", 0)


def test_a_method_is_chosen_before_it_is_confirmed(shop, v1):
    customer = shop.customer()
    method = v1.customers.retrieve(customer.id).invoice_settings.default_payment_method
    payment = v1.payment_intents.create({**TEN, "customer": customer.id})
    setup = v1.setup_intents.create({})

    chosen = v1.payment_intents.update(payment.id, {"payment_method": method})
    v1.setup_intents.update(setup.id, {"payment_method": method, "customer": customer.id})

    assert chosen.status == "requires_confirmation"
    assert v1.payment_intents.confirm(payment.id).status == "succeeded"
    assert v1.setup_intents.confirm(setup.id).customer == customer.id


def test_nobody_there_and_no_authentication_wanted_is_an_error(v1):
    error = refused(
        stripe.CardError,
        v1.payment_intents.create,
        {
            **TEN,
            "payment_method": "pm_card_authenticationRequired",
            "confirm": True,
            "error_on_requires_action": True,
        },
    )

    assert error.code == "authentication_required"
