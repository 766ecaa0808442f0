"""Renewals by the clock: a draft, an hour, an attempt; retries, ends, and months of different length."""

from datetime import UTC, datetime

import pytest
import stripe

from .conftest import NEW_YEAR, refused
from .receiver import SECRET, Receiver

DAY = 86_400


def latest(shop, subscription, **expand):
    return shop.v1.invoices.list({"subscription": subscription.id}).data[0]


def dates(subscription):
    item = subscription["items"].data[0]
    return [
        datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
        for moment in (item.current_period_start, item.current_period_end)
    ]


def test_a_renewal_is_a_draft_for_an_hour_and_then_paid(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), (shop.pro, 2))
    before = len(sandbox.event_types())

    sandbox.advance(days=31)
    draft = latest(shop, subscription)
    told = sandbox.event_types(before)
    sandbox.advance(hours=1)
    paid = latest(shop, subscription)

    assert (draft.status, draft.billing_reason, draft.total) == ("draft", "subscription_cycle", 40_00)
    assert draft.automatically_finalizes_at == NEW_YEAR + 31 * DAY + 3600
    assert told == ["invoice.created", "customer.subscription.updated"]
    assert (paid.id, paid.status, paid.amount_paid) == (draft.id, "paid", 40_00)
    assert dates(shop.v1.subscriptions.retrieve(subscription.id)) == ["2027-02-01", "2027-03-01"]


def test_an_answered_draft_waits_an_hour_an_unanswered_one_three_days(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    receiver = Receiver()
    said = {"url": receiver.url, "secret": SECRET, "enabled_events": ["invoice.created"]}
    sandbox.control("PUT", "/_sandbox/endpoints", said)
    receiver.status = 500

    sandbox.advance(days=31)
    unanswered = latest(shop, subscription)
    receiver.wait_for(1)
    sandbox.wait_until(lambda pending: pending["webhooks_due"] == 0)
    receiver.status = 200
    sandbox.advance(hours=2)
    sandbox.wait_until(lambda pending: pending["webhooks"] == 0)
    answered = latest(shop, subscription)
    receiver.stop()

    renewed_at = NEW_YEAR + 31 * DAY
    assert unanswered.automatically_finalizes_at == renewed_at + 72 * 3600
    assert answered.webhooks_delivered_at == renewed_at + 2 * 3600
    assert answered.automatically_finalizes_at == renewed_at + 3 * 3600


def test_a_draft_taken_over_is_ours(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    sandbox.advance(days=31)
    draft = latest(shop, subscription)

    shop.v1.invoices.update(draft.id, {"auto_advance": False, "metadata": {"owner": "us"}})
    sandbox.advance(days=5)
    still = shop.v1.invoices.retrieve(draft.id)
    shop.v1.invoice_items.create(
        {
            "customer": subscription.customer,
            "invoice": draft.id,
            "amount": 5_47,
            "currency": "usd",
            "description": "Usage",
        }
    )
    shop.v1.invoices.finalize_invoice(draft.id, {"auto_advance": False})
    paid = shop.v1.invoices.pay(draft.id)

    assert (still.status, still.auto_advance) == ("draft", False)
    assert (paid.status, paid.total, len(paid.lines.data)) == ("paid", 25_47, 2)


def test_changes_do_not_touch_a_draft_that_stands(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    sandbox.advance(days=31)

    shop.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": subscription["items"].data[0].id, "quantity": 9}], "proration_behavior": "none"},
    )
    sandbox.advance(hours=1)

    assert latest(shop, subscription).total == 20_00


def test_a_charge_of_stripes_own_goes_on_when_the_invoice_is_taken_over(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    sandbox.control("PUT", "/_sandbox/settings", {"charge_seconds": 600})
    sandbox.advance(days=31)
    sandbox.advance(hours=1)
    invoice = latest(shop, subscription)

    shop.v1.invoices.update(invoice.id, {"auto_advance": False})
    refused(stripe.InvalidRequestError, shop.v1.invoices.pay, invoice.id)
    sandbox.advance(minutes=9)
    assert latest(shop, subscription).status == "open"
    sandbox.advance(minutes=1)

    assert latest(shop, subscription).status == "paid"
    sandbox.control("PUT", "/_sandbox/settings", {"charge_seconds": 0})


def test_an_unpaid_renewal_is_past_due_and_not_tried_again(shop, sandbox):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    shop.give_card(customer.id, "chargeCustomerFail")

    sandbox.advance(days=40)

    invoice = latest(shop, subscription)
    assert (invoice.status, invoice.attempt_count, invoice.next_payment_attempt) == ("open", 1, None)
    assert shop.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    shop.give_card(customer.id, "visa")
    shop.v1.invoices.pay(invoice.id)
    assert shop.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_a_renewal_may_want_the_customer(shop, sandbox):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    shop.give_card(customer.id, "authenticationRequired")
    before = len(sandbox.event_types())

    sandbox.advance(days=31, hours=1)
    told = sandbox.event_types(before)
    secret = shop.v1.invoices.retrieve(
        latest(shop, subscription).id, {"expand": ["confirmation_secret"]}
    ).confirmation_secret.client_secret
    sandbox.authenticate(secret, complete=True)

    assert {"invoice.payment_action_required", "invoice.payment_failed"} <= set(told)
    assert latest(shop, subscription).status == "paid"
    assert shop.v1.subscriptions.retrieve(subscription.id).status == "active"


@pytest.mark.parametrize(
    ("settings", "status", "invoice_status"),
    [
        ({}, "past_due", "open"),
        ({"failed_subscription": "canceled"}, "canceled", "open"),
        ({"failed_subscription": "unpaid"}, "unpaid", "open"),
        ({"failed_invoice": "uncollectible"}, "active", "uncollectible"),
    ],
)
def test_stripes_own_retries_if_somebody_turns_them_on(shop, sandbox, settings, status, invoice_status):
    sandbox.control("PUT", "/_sandbox/settings", {"retry_hours": [24, 48], **settings})
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    shop.give_card(customer.id, "chargeCustomerFail")

    sandbox.advance(days=31, hours=1)
    first = latest(shop, subscription)
    sandbox.advance(days=4)
    last = latest(shop, subscription)

    assert first.next_payment_attempt == NEW_YEAR + 31 * DAY + 3600 + DAY
    assert (last.attempt_count, last.next_payment_attempt) == (3, None)
    assert last.status == invoice_status
    assert shop.v1.subscriptions.retrieve(subscription.id).status == status


def test_a_subscription_ends_with_its_period_when_told_to(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    ending = shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    kept = shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

    sandbox.advance(days=31)

    assert ending.cancel_at == NEW_YEAR + 31 * DAY
    assert (kept.cancel_at, kept.canceled_at) == (None, None)
    ended = shop.v1.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", NEW_YEAR + 31 * DAY)
    assert latest(shop, subscription).billing_reason == "subscription_create"
    assert [found.id for found in shop.v1.subscriptions.list({"status": "ended"}).data] == [subscription.id]


def test_a_subscription_ends_at_a_given_time(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    shop.v1.subscriptions.update(subscription.id, {"cancel_at": NEW_YEAR + 3 * DAY})

    sandbox.advance(days=4)

    assert shop.v1.subscriptions.retrieve(subscription.id).ended_at == NEW_YEAR + 3 * DAY


def test_periods_are_counted_from_the_anchor(shop, sandbox):
    sandbox.advance(days=30)
    subscription = shop.subscribe(shop.customer(), shop.pro)
    starts = [dates(subscription)[0]]

    for _ in range(4):
        end = shop.v1.subscriptions.retrieve(subscription.id)["items"].data[0].current_period_end
        sandbox.control("POST", "/_sandbox/clock", {"advance_to": end})
        starts.append(dates(shop.v1.subscriptions.retrieve(subscription.id))[0])

    assert starts == ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]


def test_the_day_of_the_month_can_be_chosen(shop):
    subscription = shop.subscribe(
        shop.customer(),
        shop.pro,
        billing_cycle_anchor_config={"day_of_month": 31, "hour": 0, "minute": 0, "second": 0},
        proration_behavior="none",
    )

    assert dates(subscription) == ["2027-01-01", "2027-01-31"]


def test_a_credit_balance_pays_first(shop, sandbox):
    customer = shop.customer()
    made = shop.v1.customers.balance_transactions.create(customer.id, {"amount": -25_00, "currency": "usd"})
    subscription = shop.subscribe(customer, shop.pro)
    sandbox.advance(days=31, hours=1)

    renewal = latest(shop, subscription)

    assert made.ending_balance == -25_00
    assert (renewal.starting_balance, renewal.amount_due, renewal.ending_balance) == (-5_00, 15_00, 0)
    kinds = [moved.type for moved in shop.v1.customers.balance_transactions.list(customer.id).data]
    assert kinds == ["applied_to_invoice", "applied_to_invoice", "adjustment"]


def test_carried_cents_are_paid_with_the_next_invoice(shop, sandbox):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.price(30))

    sandbox.advance(days=31, hours=1)

    renewal = latest(shop, subscription)
    assert (renewal.starting_balance, renewal.amount_due, renewal.amount_paid) == (30, 60, 60)
    assert shop.v1.customers.retrieve(customer.id).balance == 0


def test_an_invoice_by_mail_is_due_later(shop, sandbox):
    subscription = shop.subscribe(
        shop.customer(card=None),
        shop.pro,
        collection_method="send_invoice",
        days_until_due=1,
        expand=["latest_invoice"],
    )
    sandbox.advance(days=31, hours=1)
    renewal = latest(shop, subscription)

    paid = shop.v1.invoices.pay(renewal.id, {"paid_out_of_band": True})

    assert subscription.status == "active"
    assert subscription.latest_invoice.due_date == NEW_YEAR + DAY
    assert (renewal.status, renewal.attempted) == ("open", False)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 0, 0)


def test_giving_up_an_invoice_makes_the_subscription_active_again(shop, sandbox):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    shop.give_card(customer.id, "chargeCustomerFail")
    sandbox.advance(days=32)
    invoice = latest(shop, subscription)

    given_up = shop.v1.invoices.mark_uncollectible(invoice.id)
    shop.give_card(customer.id, "visa")
    paid = shop.v1.invoices.pay(invoice.id)

    assert given_up.status == "uncollectible"
    assert paid.status == "paid"
    assert shop.v1.subscriptions.retrieve(subscription.id).status == "active"
    refused(stripe.InvalidRequestError, shop.v1.invoices.mark_uncollectible, invoice.id)
    refused(stripe.InvalidRequestError, shop.v1.invoices.void_invoice, invoice.id)
    refused(stripe.InvalidRequestError, shop.v1.invoices.pay, invoice.id)


def test_the_preview_of_a_renewal_is_the_renewal(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), (shop.pro, 3))
    sandbox.advance(days=3)
    item = subscription["items"].data[0].id
    shop.v1.invoice_items.create({"customer": subscription.customer, "amount": 7_00, "currency": "usd"})
    details = {"items": [{"id": item, "quantity": 5}]}
    unchanged = shop.v1.invoices.create_preview({"subscription": subscription.id})
    preview = shop.v1.invoices.create_preview({"subscription": subscription.id, "subscription_details": details})

    shop.v1.subscriptions.update(subscription.id, details)
    sandbox.advance(days=28)

    renewal = latest(shop, subscription)
    assert unchanged.total == 67_00
    assert [line.amount for line in renewal.lines.data] == [line.amount for line in preview.lines.data]


def test_the_preview_of_a_first_invoice(shop):
    customer = shop.customer()

    preview = shop.v1.invoices.create_preview(
        {
            "customer": customer.id,
            "subscription_details": {"items": [{"price": shop.pro.id, "quantity": 2}]},
            "invoice_items": [{"price_data": {"product": shop.product.id, "currency": "usd", "unit_amount": -5_00}}],
        }
    )

    assert (preview.total, preview.status) == (35_00, "draft")
    assert shop.v1.subscriptions.list({"customer": customer.id}).data == []
    assert shop.v1.invoice_items.list({"customer": customer.id}).data == []
    refused(stripe.InvalidRequestError, shop.v1.invoices.create_preview, {"customer": customer.id})


def test_an_invoice_made_by_hand(shop, sandbox):
    customer = shop.customer()
    v1 = shop.v1
    fee = shop.price(5_00, None)
    v1.invoice_items.create({"customer": customer.id, "pricing": {"price": fee.id}, "quantity": 2})
    draft = v1.invoices.create(
        {"customer": customer.id, "pending_invoice_items_behavior": "include", "metadata": {"why": "dispute"}}
    )
    item = v1.invoice_items.create(
        {"customer": customer.id, "invoice": draft.id, "amount": 1_00, "currency": "usd", "metadata": {"a": "1"}}
    )
    v1.invoice_items.update(item.id, {"amount": 2_00, "description": "Two"})
    removed = v1.invoice_items.create({"customer": customer.id, "invoice": draft.id, "amount": 9_00, "currency": "usd"})
    gone = v1.invoice_items.delete(removed.id)
    changed = v1.invoices.update(draft.id, {"description": "By hand"})
    open_invoice = v1.invoices.finalize_invoice(draft.id)

    paid = v1.invoices.pay(draft.id)

    assert gone.deleted
    assert (changed.total, changed.description) == (12_00, "By hand")
    assert (open_invoice.status, open_invoice.number[-4:]) == ("open", "0001")
    assert (paid.status, paid.amount_paid, paid.parent) == ("paid", 12_00, None)
    refused(stripe.InvalidRequestError, v1.invoice_items.delete, item.id)
    refused(stripe.InvalidRequestError, v1.invoices.finalize_invoice, draft.id)
    refused(stripe.InvalidRequestError, v1.invoices.update, draft.id, {"days_until_due": 3})
    refused(stripe.InvalidRequestError, v1.invoices.delete, draft.id)
    assert v1.invoice_items.retrieve(item.id).description == "Two"


def test_a_draft_is_deleted_or_sent(shop):
    customer = shop.customer()
    unwanted = shop.v1.invoices.create({"customer": customer.id})
    wanted = shop.v1.invoices.create(
        {"customer": customer.id, "collection_method": "send_invoice", "days_until_due": 7}
    )
    shop.v1.invoice_items.create({"customer": customer.id, "invoice": wanted.id, "amount": 5_00, "currency": "usd"})

    deleted = shop.v1.invoices.delete(unwanted.id)
    sent = shop.v1.invoices.send_invoice(wanted.id)

    assert deleted.deleted
    assert (sent.status, sent.due_date) == ("open", NEW_YEAR + 7 * DAY)
    refused(stripe.InvalidRequestError, shop.v1.invoices.retrieve, unwanted.id)


def test_an_intent_of_ones_own_pays_an_invoice(shop):
    customer = shop.customer()
    invoice = shop.v1.invoices.create({"customer": customer.id})
    shop.v1.invoice_items.create({"customer": customer.id, "invoice": invoice.id, "amount": 32_26, "currency": "usd"})
    shop.v1.invoices.finalize_invoice(invoice.id)
    said = {"currency": "usd", "customer": customer.id, "payment_method": "pm_card_visa", "confirm": True}
    part = shop.v1.payment_intents.create({"amount": 30_00, **said})
    rest = shop.v1.payment_intents.create({"amount": 2_26, **said})

    partly = shop.v1.invoices.attach_payment(invoice.id, {"payment_intent": part.id})
    paid = shop.v1.invoices.attach_payment(invoice.id, {"payment_intent": rest.id, "expand": ["payments"]})

    assert (partly.status, partly.amount_remaining) == ("open", 2_26)
    assert (paid.status, paid.amount_paid) == ("paid", 32_26)
    assert [payment.status for payment in paid.payments.data] == ["paid", "paid", "canceled"]
    refused(stripe.InvalidRequestError, shop.v1.invoices.attach_payment, invoice.id, {"payment_intent": part.id})


def test_an_invoice_embeds_ten_lines_and_lists_all(shop):
    prices = [shop.price(1_00 + number) for number in range(12)]

    subscription = shop.subscribe(shop.customer(), *prices, expand=["latest_invoice"])

    invoice = subscription.latest_invoice
    assert (len(invoice.lines.data), invoice.lines.has_more) == (10, True)
    everything = list(shop.v1.invoices.line_items.list(invoice.id, {"limit": 5}).auto_paging_iter())
    assert [line.amount for line in everything] == [1_00 + number for number in range(12)]


def test_an_invoice_by_hand_can_advance_by_itself(shop, sandbox):
    customer = shop.customer()
    at_once = shop.v1.invoices.create({"customer": customer.id, "auto_advance": True})
    shop.v1.invoice_items.create({"customer": customer.id, "invoice": at_once.id, "amount": 5_00, "currency": "usd"})
    later = shop.v1.invoices.create({"customer": customer.id})
    shop.v1.invoice_items.create({"customer": customer.id, "invoice": later.id, "amount": 7_00, "currency": "usd"})

    sandbox.advance(hours=1)
    first = shop.v1.invoices.retrieve(at_once.id)
    still = shop.v1.invoices.retrieve(later.id)
    shop.v1.invoices.update(later.id, {"auto_advance": True})
    sandbox.advance(hours=1)

    assert (first.status, first.amount_paid) == ("paid", 5_00)
    assert (still.status, shop.v1.invoices.retrieve(later.id).status) == ("draft", "paid")


def test_a_finalised_invoice_that_advances_is_collected_an_hour_later(shop, sandbox):
    customer = shop.customer()
    invoice = shop.v1.invoices.create({"customer": customer.id})
    shop.v1.invoice_items.create({"customer": customer.id, "invoice": invoice.id, "amount": 5_00, "currency": "usd"})

    waiting = shop.v1.invoices.finalize_invoice(invoice.id, {"auto_advance": True})
    sandbox.advance(hours=1)

    assert (waiting.status, shop.v1.invoices.retrieve(invoice.id).status) == ("open", "paid")


def test_a_draft_can_be_paid_at_once(shop):
    customer = shop.customer()
    drafts = []
    for amount in (5_00, 6_00):
        drafts.append(shop.v1.invoices.create({"customer": customer.id}).id)
        said = {"customer": customer.id, "invoice": drafts[-1], "amount": amount, "currency": "usd"}
        shop.v1.invoice_items.create(said)

    by_card = shop.v1.invoices.pay(drafts[0])
    elsewhere = shop.v1.invoices.pay(drafts[1], {"paid_out_of_band": True})

    assert (by_card.status, by_card.amount_paid) == ("paid", 5_00)
    assert (elsewhere.status, elsewhere.amount_paid) == ("paid", 0)
    refused(stripe.InvalidRequestError, shop.v1.invoices.pay, drafts[1], {"paid_out_of_band": True})


def test_the_draft_of_a_subscription_that_ended_is_left_alone(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    sandbox.advance(days=31)

    shop.v1.subscriptions.cancel(subscription.id)
    sandbox.advance(days=5)

    draft = latest(shop, subscription)
    assert (draft.status, draft.auto_advance) == ("draft", False)
