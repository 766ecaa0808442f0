"""The first payment of a subscription: paid, declined, waiting for the customer, given up."""

import pytest
import stripe

from .conftest import refused

PAID = [
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice_payment.paid",
    "invoice.updated",
    "invoice.paid",
    "invoice.payment_succeeded",
    "customer.subscription.updated",
]
MADE = ["customer.subscription.created", "invoice.created", "payment_intent.created", "invoice.finalized"]


def test_default_incomplete_waits_and_is_paid_by_a_stored_card(shop, sandbox):
    customer = shop.customer()
    before = len(sandbox.event_types())

    waiting = shop.subscribe(
        customer,
        (shop.pro, 3),
        payment_behavior="default_incomplete",
        billing_mode={"type": "flexible"},
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["latest_invoice.confirmation_secret", "latest_invoice.payments"],
    )
    paid = shop.v1.invoices.pay(waiting.latest_invoice.id, {"off_session": False})

    assert waiting.status == "incomplete"
    assert waiting.latest_invoice.amount_due == 60_00
    assert waiting.latest_invoice.confirmation_secret.client_secret.startswith("pi_")
    assert waiting.latest_invoice.payments.data[0].status == "open"
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 60_00, 0)
    active = shop.v1.subscriptions.retrieve(waiting.id)
    assert active.status == "active"
    assert active.default_payment_method is not None
    assert sandbox.event_types(before) == MADE + PAID


def test_without_a_method_the_customer_pays_with_the_client_secret(shop, sandbox):
    customer = shop.customer(card=None)
    waiting = shop.subscribe(
        customer,
        shop.pro,
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["latest_invoice.confirmation_secret"],
    )
    secret = waiting.latest_invoice.confirmation_secret.client_secret

    refused(stripe.InvalidRequestError, shop.v1.invoices.pay, waiting.latest_invoice.id)
    sandbox.authenticate(secret, complete=True, card="visa")

    active = shop.v1.subscriptions.retrieve(waiting.id, {"expand": ["default_payment_method"]})
    assert active.status == "active"
    assert active.default_payment_method.card.last4 == "4242"
    assert active.default_payment_method.customer == customer.id


@pytest.mark.parametrize(
    ("complete", "status", "intent_status"),
    [(True, "active", "succeeded"), (False, "incomplete", "requires_payment_method")],
)
def test_the_bank_wants_the_customer(shop, sandbox, complete, status, intent_status):
    customer = shop.customer("authenticationRequired")
    waiting = shop.subscribe(customer, shop.pro, payment_behavior="default_incomplete")

    wanted = refused(stripe.CardError, shop.v1.invoices.pay, waiting.latest_invoice, {"off_session": False})
    answered = sandbox.authenticate(wanted.error.payment_intent.client_secret, complete=complete)

    assert wanted.code == "invoice_payment_intent_requires_action"
    assert wanted.error.payment_intent.status == "requires_action"
    assert wanted.error.payment_intent.next_action.type == "use_stripe_sdk"
    assert answered["status"] == intent_status
    assert shop.v1.subscriptions.retrieve(waiting.id).status == status


def test_a_card_that_was_set_up_is_not_asked_again(shop, sandbox):
    customer = shop.customer(card=None)
    setup = shop.v1.setup_intents.create({"customer": customer.id})
    sandbox.authenticate(setup.client_secret, complete=True, card="authenticationRequiredOnSetup")
    method = shop.v1.setup_intents.retrieve(setup.id).payment_method
    shop.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method}})

    subscription = shop.subscribe(customer, shop.pro, payment_behavior="error_if_incomplete", off_session=True)

    assert subscription.status == "active"


def test_a_decline_leaves_its_attempt(shop, sandbox):
    customer = shop.customer("chargeCustomerFail")
    waiting = shop.subscribe(customer, shop.pro, payment_behavior="default_incomplete")
    before = len(sandbox.event_types())

    declined = refused(stripe.CardError, shop.v1.invoices.pay, waiting.latest_invoice)

    assert (declined.code, declined.error.decline_code) == ("card_declined", "generic_decline")
    assert declined.error.advice_code == "try_again_later"
    assert declined.error.payment_intent.status == "requires_payment_method"
    invoice = shop.v1.invoices.retrieve(waiting.latest_invoice)
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    charges = shop.v1.charges.list({"payment_intent": declined.error.payment_intent.id}).data
    assert [(charge.status, charge.failure_code) for charge in charges] == [("failed", "card_declined")]
    assert sandbox.event_types(before) == [
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.updated",
        "invoice.payment_failed",
    ]


@pytest.mark.parametrize(
    ("card", "code"),
    [
        (None, "resource_missing"),
        ("chargeCustomerFail", "card_declined"),
        ("authenticationRequired", "subscription_payment_intent_requires_action"),
    ],
)
def test_error_if_incomplete_leaves_nothing_of_the_subscription(shop, sandbox, card, code):
    customer = shop.customer(card)
    before = sandbox.event_types()

    failed = refused(
        stripe.StripeError,
        shop.subscribe,
        customer,
        shop.pro,
        payment_behavior="error_if_incomplete",
        off_session=True,
    )

    assert failed.code == code
    assert shop.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data == []
    assert shop.v1.invoices.list({"customer": customer.id}).data == []
    assert sandbox.event_types() == before


@pytest.mark.parametrize(
    ("card", "status"),
    [("visa", "active"), ("chargeCustomerFail", "incomplete"), ("authenticationRequired", "incomplete")],
)
def test_allow_incomplete_tries_once(shop, card, status):
    subscription = shop.subscribe(shop.customer(card), shop.pro, expand=["latest_invoice"])

    assert subscription.status == status
    assert subscription.latest_invoice.attempted


def test_added_items_make_one_invoice_and_a_credit_reduces_it(shop):
    setup_fee = shop.price(15_00, interval=None)
    unused = {"product": shop.product.id, "currency": "usd", "unit_amount": -5_00}

    subscription = shop.subscribe(
        shop.customer(),
        shop.pro,
        add_invoice_items=[{"price": setup_fee.id}, {"price_data": unused, "quantity": 2}],
        expand=["latest_invoice"],
    )

    invoice = subscription.latest_invoice
    assert [line.amount for line in invoice.lines.data] == [20_00, 15_00, -10_00]
    assert (invoice.total, invoice.amount_paid) == (25_00, 25_00)


def test_an_added_item_has_the_period_and_metadata_that_it_says(shop):
    part = {"product": shop.product.id, "currency": "usd", "unit_amount": 12_50}
    times = {"start": 1_800_000_000, "end": 1_801_000_000}
    period = {edge: {"type": "timestamp", "timestamp": at} for edge, at in times.items()}

    subscription = shop.subscribe(
        shop.customer(),
        shop.pro,
        billing_cycle_anchor_config={"day_of_month": 31},
        proration_behavior="none",
        add_invoice_items=[{"price_data": part, "period": period, "metadata": {"part_of": shop.pro.id}}],
        expand=["latest_invoice"],
    )

    (line,) = subscription.latest_invoice.lines.data
    assert (line.amount, line.period.to_dict(), line.metadata.to_dict()) == (12_50, times, {"part_of": shop.pro.id})


@pytest.mark.parametrize(
    ("hours", "status", "invoice_status"), [(22.99, "incomplete", "open"), (23, "incomplete_expired", "void")]
)
def test_an_unpaid_subscription_expires_after_23_hours(shop, sandbox, hours, status, invoice_status):
    waiting = shop.subscribe(shop.customer(), shop.pro, payment_behavior="default_incomplete")

    sandbox.advance(hours=hours)

    assert shop.v1.subscriptions.retrieve(waiting.id).status == status
    assert shop.v1.invoices.retrieve(waiting.latest_invoice).status == invoice_status


def test_voiding_the_first_invoice_ends_the_subscription(shop, sandbox):
    waiting = shop.subscribe(
        shop.customer(), shop.pro, payment_behavior="default_incomplete", expand=["latest_invoice.payments"]
    )
    before = len(sandbox.event_types())

    voided = shop.v1.invoices.void_invoice(waiting.latest_invoice.id)

    assert voided.status == "void"
    assert shop.v1.subscriptions.retrieve(waiting.id).status == "incomplete_expired"
    payment = waiting.latest_invoice.payments.data[0]
    assert shop.v1.payment_intents.retrieve(payment.payment.payment_intent).status == "canceled"
    assert sandbox.event_types(before) == [
        "payment_intent.canceled",
        "invoice.voided",
        "customer.subscription.updated",
    ]


def test_cancelling_an_incomplete_subscription_voids_its_invoice(shop):
    waiting = shop.subscribe(shop.customer(), shop.pro, payment_behavior="default_incomplete")

    ended = shop.v1.subscriptions.cancel(waiting.id)

    assert ended.status == "incomplete_expired"
    assert shop.v1.invoices.retrieve(waiting.latest_invoice).status == "void"
    refused(stripe.InvalidRequestError, shop.v1.subscriptions.cancel, waiting.id)


@pytest.mark.parametrize(("unit_amount", "due", "balance"), [(49, 0, 49), (50, 50, 0), (0, 0, 0), (51, 51, 0)])
def test_below_the_minimum_charge_the_amount_is_carried(shop, unit_amount, due, balance):
    customer = shop.customer(card="visa")

    subscription = shop.subscribe(
        customer, shop.price(unit_amount), payment_behavior="error_if_incomplete", expand=["latest_invoice"]
    )

    assert subscription.status == "active"
    assert subscription.latest_invoice.amount_due == due
    assert shop.v1.customers.retrieve(customer.id).balance == balance


def test_an_anchor_in_the_middle_prorates_the_first_period(shop):
    customer = shop.customer()
    # From 1 January to 17 January: 16 of the 31 days of the period that ends there.
    anchor = 1_798_761_600 + 16 * 86_400

    subscription = shop.subscribe(customer, shop.pro, billing_cycle_anchor=anchor, expand=["latest_invoice"])

    item = subscription["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (1_798_761_600, anchor)
    assert subscription.latest_invoice.total == 10_32


def test_an_anchor_without_proration_makes_the_rest_of_the_period_free(shop):
    anchor = 1_798_761_600 + 16 * 86_400

    subscription = shop.subscribe(
        shop.customer(),
        shop.pro,
        billing_cycle_anchor=anchor,
        proration_behavior="none",
        expand=["latest_invoice"],
    )

    assert subscription.status == "active"
    assert subscription.latest_invoice.total == 0
