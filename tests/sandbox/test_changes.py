"""Changes of a running subscription: prorated to the second, paid, waiting, or refused."""

import random
from fractions import Fraction

import pytest
import stripe

from sandbox.stripe.periods import prorated, rounded_half_up

from .conftest import NEW_YEAR, refused

DAY = 86_400
NOW = {"proration_behavior": "always_invoice"}


def half_up(amount: Fraction) -> int:
    """Round as the books say, written apart from the sandbox's own: floor of twice plus one, halved."""
    sign = -1 if amount < 0 else 1
    return sign * ((2 * abs(amount.numerator) + amount.denominator) // (2 * amount.denominator))


def item_of(subscription, number=0):
    return subscription["items"].data[number]


def lines_of(invoice):
    return [(line.amount, line.quantity) for line in invoice.lines.data]


def test_a_growing_quantity_is_two_lines(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), (shop.pro, 1))
    sandbox.advance(days=10)
    before = len(sandbox.event_types())

    changed = shop.v1.subscriptions.update(
        subscription.id,
        {
            "items": [{"id": item_of(subscription).id, "quantity": 3}],
            "payment_behavior": "pending_if_incomplete",
            "expand": ["latest_invoice"],
            **NOW,
        },
    )

    # 21 of 31 days are left: 13.55 back for one, 40.65 for three.
    assert lines_of(changed.latest_invoice) == [(-13_55, 1), (40_65, 3)]
    assert (changed.status, changed.pending_update) == ("active", None)
    assert (changed.latest_invoice.status, changed.latest_invoice.amount_paid) == ("paid", 27_10)
    assert item_of(changed).quantity == 3
    assert sandbox.event_types(before) == [
        "invoice.created",
        "payment_intent.created",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
    ]
    credit = changed.latest_invoice.lines.data[0].parent.subscription_item_details
    assert credit.proration
    assert credit.proration_details.credited_items.invoice == subscription.latest_invoice


def test_another_price_moves_the_item(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    sandbox.advance(days=15, hours=12)

    changed = shop.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": item_of(subscription).id, "price": shop.business.id}], "expand": ["latest_invoice"], **NOW},
    )

    assert lines_of(changed.latest_invoice) == [(-10_00, 1), (100_00, 1)]
    assert item_of(changed).price.id == shop.business.id
    assert item_of(changed).id == item_of(subscription).id


def test_an_item_is_added_and_taken_away(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    sandbox.advance(days=15, hours=12)

    added = shop.v1.subscriptions.update(
        subscription.id, {"items": [{"price": shop.business.id, "quantity": 2}], "expand": ["latest_invoice"], **NOW}
    )
    deleted = shop.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": item_of(subscription).id, "deleted": True}], "expand": ["latest_invoice"], **NOW},
    )

    assert lines_of(added.latest_invoice) == [(200_00, 2)]
    assert [item.price.id for item in added["items"].data] == [shop.pro.id, shop.business.id]
    assert lines_of(deleted.latest_invoice) == [(-10_00, 1)]
    assert [item.price.id for item in deleted["items"].data] == [shop.business.id]
    assert shop.v1.customers.retrieve(subscription.customer).balance == -10_00


def test_without_proration_nothing_is_billed_and_what_was_not_billed_is_not_credited(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    item = item_of(subscription).id
    free = shop.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item, "quantity": 5}], "proration_behavior": "none"}
    )

    sandbox.advance(days=15, hours=12)
    changed = shop.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item, "quantity": 6}], "expand": ["latest_invoice"], **NOW}
    )

    assert free.latest_invoice == subscription.latest_invoice
    assert lines_of(changed.latest_invoice) == [(-10_00, 1), (60_00, 6)]


def test_prorations_wait_for_the_renewal_by_default(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    sandbox.advance(days=15, hours=12)

    changed = shop.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item_of(subscription).id, "quantity": 2}]}
    )
    waiting = shop.v1.invoice_items.list({"customer": subscription.customer, "pending": True}).data
    sandbox.advance(days=15, hours=12)

    assert changed.latest_invoice == subscription.latest_invoice
    assert sorted(item.amount for item in waiting) == [-10_00, 20_00]
    assert all(item.proration for item in waiting)
    renewal = shop.v1.invoices.list({"subscription": subscription.id}).data[0]
    assert lines_of(renewal) == [(-10_00, 1), (20_00, 2), (40_00, 2)]
    assert shop.v1.invoice_items.list({"customer": subscription.customer, "pending": True}).data == []


@pytest.mark.parametrize("card", ["chargeCustomerFail", "authenticationRequired"])
def test_a_change_that_is_not_paid_waits(shop, sandbox, card):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    shop.give_card(customer.id, card)
    before = len(sandbox.event_types())

    waiting = shop.v1.subscriptions.update(
        subscription.id,
        {
            "items": [{"id": item_of(subscription).id, "quantity": 2}],
            "payment_behavior": "pending_if_incomplete",
            "expand": ["latest_invoice.confirmation_secret"],
            **NOW,
        },
    )

    assert (waiting.status, item_of(waiting).quantity) == ("active", 1)
    assert waiting.pending_update.expires_at == NEW_YEAR + 23 * 3600
    assert [item.quantity for item in waiting.pending_update.subscription_items] == [2]
    assert waiting.latest_invoice.status == "open"
    assert sandbox.event_types(before)[-1] == "customer.subscription.updated"
    shop.give_card(customer.id, "visa")
    before = len(sandbox.event_types())
    shop.v1.invoices.pay(waiting.latest_invoice.id, {"off_session": False})
    applied = shop.v1.subscriptions.retrieve(subscription.id)
    assert (applied.pending_update, item_of(applied).quantity) == (None, 2)
    assert sandbox.event_types(before)[-2:] == [
        "customer.subscription.pending_update_applied",
        "customer.subscription.updated",
    ]


@pytest.mark.parametrize(
    ("hours", "quantity_waiting", "status"), [(22.99, 2, "open"), (23, None, "void"), (48, None, "void")]
)
def test_a_waiting_change_expires_with_its_invoice(shop, sandbox, hours, quantity_waiting, status):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    shop.give_card(customer.id, "chargeCustomerFail")
    waiting = shop.v1.subscriptions.update(
        subscription.id,
        {
            "items": [{"id": item_of(subscription).id, "quantity": 2}],
            "payment_behavior": "pending_if_incomplete",
            **NOW,
        },
    )

    sandbox.advance(hours=hours)

    later = shop.v1.subscriptions.retrieve(subscription.id)
    pending = later.pending_update and later.pending_update.subscription_items[0].quantity
    assert (pending, item_of(later).quantity, later.status) == (quantity_waiting, 1, "active")
    assert shop.v1.invoices.retrieve(waiting.latest_invoice).status == status


def test_a_second_update_takes_the_place_of_the_one_that_waits(shop):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    shop.give_card(customer.id, "chargeCustomerFail")
    said = {"payment_behavior": "pending_if_incomplete", **NOW}
    item = item_of(subscription).id
    first = shop.v1.subscriptions.update(subscription.id, {"items": [{"id": item, "quantity": 2}], **said})

    second = shop.v1.subscriptions.update(subscription.id, {"items": [{"id": item, "quantity": 4}], **said})

    assert [pending.quantity for pending in second.pending_update.subscription_items] == [4]
    assert shop.v1.invoices.retrieve(first.latest_invoice).status == "void"
    assert second.latest_invoice != first.latest_invoice


@pytest.mark.parametrize(
    "said",
    [
        {"metadata": {"a": "1"}},
        {"default_payment_method": "pm_x"},
        {"cancel_at_period_end": True},
        {"items": [{"id": "ITEM", "deleted": True}]},
        {"items": [{"id": "ITEM", "metadata": {"a": "1"}}]},
    ],
)
def test_what_cannot_wait_is_refused(shop, said):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    for item in said.get("items", []):
        item["id"] = item_of(subscription).id

    refused(
        stripe.InvalidRequestError,
        shop.v1.subscriptions.update,
        subscription.id,
        {"payment_behavior": "pending_if_incomplete", **said},
    )


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("chargeCustomerFail", "card_declined"),
        ("authenticationRequired", "subscription_payment_intent_requires_action"),
    ],
)
def test_error_if_incomplete_changes_nothing(shop, sandbox, card, code):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    shop.give_card(customer.id, card)
    before = sandbox.event_types()

    error = refused(
        stripe.CardError,
        shop.v1.subscriptions.update,
        subscription.id,
        {
            "items": [{"id": item_of(subscription).id, "quantity": 2}],
            "payment_behavior": "error_if_incomplete",
            "off_session": True,
            **NOW,
        },
    )

    assert error.code == code
    assert sandbox.event_types() == before
    unchanged = shop.v1.subscriptions.retrieve(subscription.id)
    assert (item_of(unchanged).quantity, unchanged.latest_invoice) == (1, subscription.latest_invoice)


@pytest.mark.parametrize("behavior", ["allow_incomplete", "default_incomplete"])
def test_a_change_that_holds_unpaid_is_past_due_until_it_is_paid(shop, behavior):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    shop.give_card(customer.id, "chargeCustomerFail")
    late = shop.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": item_of(subscription).id, "quantity": 2}], "payment_behavior": behavior, **NOW},
    )

    shop.give_card(customer.id, "visa")
    shop.v1.invoices.pay(late.latest_invoice)

    assert (late.status, item_of(late).quantity) == ("past_due", 2)
    assert shop.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_added_items_and_credits_come_with_the_change(shop):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    unused = {"product": shop.product.id, "currency": "usd", "unit_amount": -5_00}

    changed = shop.v1.subscriptions.update(
        subscription.id,
        {
            "items": [{"id": item_of(subscription).id, "quantity": 2}],
            "add_invoice_items": [{"price_data": unused}],
            "expand": ["latest_invoice"],
            **NOW,
        },
    )

    assert changed.latest_invoice.total == 15_00


def test_a_new_interval_starts_the_cycle_anew(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    yearly = shop.price(200_00, "year")
    sandbox.advance(days=15, hours=12)

    changed = shop.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": item_of(subscription).id, "price": yearly.id}], "expand": ["latest_invoice"], **NOW},
    )

    now = int(sandbox.world.clock.now())
    assert lines_of(changed.latest_invoice) == [(-10_00, 1), (200_00, 1)]
    assert changed.billing_cycle_anchor == item_of(changed).current_period_start == now
    assert item_of(changed).current_period_end == now + 365 * DAY


def test_twenty_invoices_a_day_are_enough(shop, sandbox):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    item = item_of(subscription).id
    change = shop.v1.subscriptions.update

    for quantity in range(2, 21):
        change(subscription.id, {"items": [{"id": item, "quantity": quantity}], **NOW})
    refused(stripe.StripeError, change, subscription.id, {"items": [{"id": item, "quantity": 30}], **NOW})
    sandbox.advance(days=1)

    assert item_of(change(subscription.id, {"items": [{"id": item, "quantity": 30}], **NOW})).quantity == 30


@pytest.mark.parametrize(("days", "taken"), [(-0.001, False), (0, True), (31, True), (31.001, False)])
def test_the_proration_date_lies_in_the_running_period(shop, days, taken):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    said = {
        "items": [{"id": item_of(subscription).id, "quantity": 2}],
        "proration_date": NEW_YEAR + int(days * DAY),
        **NOW,
    }

    if taken:
        shop.v1.subscriptions.update(subscription.id, said)
    else:
        refused(stripe.InvalidRequestError, shop.v1.subscriptions.update, subscription.id, said)


def test_other_members_change_without_an_invoice(shop, sandbox):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    method = shop.v1.customers.retrieve(customer.id).invoice_settings.default_payment_method
    before = len(sandbox.event_types())

    changed = shop.v1.subscriptions.update(
        subscription.id,
        {
            "metadata": {"a": "1"},
            "description": "x",
            "default_payment_method": method,
            "payment_settings": {"save_default_payment_method": "on_subscription"},
        },
    )
    invoiced = shop.v1.subscriptions.update(subscription.id, {"collection_method": "send_invoice", "days_until_due": 1})

    assert (changed.description, changed.default_payment_method) == ("x", method)
    assert (invoiced.collection_method, invoiced.days_until_due) == ("send_invoice", 1)
    assert sandbox.event_types(before) == ["customer.subscription.updated"] * 2


def test_items_have_their_own_address(shop):
    subscription = shop.subscribe(shop.customer(), shop.pro)
    items = shop.v1.subscription_items

    added = items.create({"subscription": subscription.id, "price": shop.business.id, "proration_behavior": "none"})
    grown = items.update(added.id, {"quantity": 4, "proration_behavior": "none", "metadata": {"a": "1"}})
    listed = items.list({"subscription": subscription.id}).data
    deleted = items.delete(added.id, {"proration_behavior": "none"})

    assert (grown.quantity, grown.metadata.to_dict()) == (4, {"a": "1"})
    assert [item.id for item in listed] == [item_of(subscription).id, added.id], "as the subscription shows them"
    assert deleted.deleted
    assert items.retrieve(item_of(subscription).id).quantity == 1
    refused(stripe.InvalidRequestError, items.retrieve, added.id)
    refused(stripe.InvalidRequestError, items.delete, item_of(subscription).id)


def test_cancelling_credits_and_bills_only_when_asked(shop, sandbox):
    customer = shop.customer()
    plain, prorated_end = shop.subscribe(customer, shop.pro), shop.subscribe(customer, shop.pro)
    sandbox.advance(days=15, hours=12)

    shop.v1.subscriptions.cancel(plain.id)
    quiet = shop.v1.customers.retrieve(customer.id).balance
    ended = shop.v1.subscriptions.cancel(prorated_end.id, {"prorate": True, "invoice_now": True})

    assert quiet == 0
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "cancellation_requested")
    assert shop.v1.customers.retrieve(customer.id).balance == -10_00


def test_proration_is_exact_in_a_thousand_random_cases():
    chance = random.Random(20_270_101)

    for _ in range(1000):
        start = chance.randrange(1_700_000_000, 1_900_000_000)
        end = start + chance.choice((28, 29, 30, 31, 365, 366)) * DAY
        moment = chance.randrange(start, end + 1)
        unit, quantity = Fraction(chance.randrange(0, 10_000_000), chance.choice((1, 10, 1000))), chance.randrange(301)
        exact = unit * quantity * (end - moment) / (end - start)

        assert prorated(unit * quantity, moment, end, period=(start, end)) == half_up(exact)


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("1/2", 1), ("-1/2", -1), ("3/2", 2), ("49/100", 0), ("-49/100", 0), ("51/100", 1), ("-151/100", -2), ("0", 0)],
)
def test_rounding(amount, rounded):
    assert rounded_half_up(Fraction(amount)) == rounded


def test_the_preview_is_the_invoice_in_random_changes(shop, sandbox):
    chance = random.Random(7)
    prices = [shop.pro, shop.business, *(shop.price(chance.randrange(1, 50_000)) for _ in range(4))]
    for round_number in range(25):
        subscription = shop.subscribe(shop.customer(), (shop.pro, chance.randrange(1, 9)))
        sandbox.advance(seconds=chance.randrange(1, 3 * DAY))
        for _ in range(8):
            said = {"items": random_items(chance, prices, subscription), **NOW}
            preview = shop.v1.invoices.create_preview({"subscription": subscription.id, "subscription_details": said})

            subscription = shop.v1.subscriptions.update(subscription.id, {**said, "expand": ["latest_invoice"]})

            invoice = subscription.latest_invoice
            assert lines_of(invoice) == lines_of(preview), round_number
            assert (invoice.total, invoice.amount_due, invoice.starting_balance) == (
                preview.total,
                preview.amount_due,
                preview.starting_balance,
            )
            assert sum(line.amount for line in invoice.lines.data) == invoice.total
            sandbox.advance(seconds=chance.randrange(1, DAY))


def random_items(chance, prices, subscription):
    """Return a change of one or two items: another quantity, another price, or one more item."""
    items = list(subscription["items"].data)
    taken = {item.price.id for item in items}
    free = [price for price in prices if price.id not in taken]
    said = [{"id": chance.choice(items).id, "quantity": chance.randrange(1, 20)}]
    if free and chance.random() < 0.5:
        said[0]["price"] = free[0].id
    elif free:
        said.append({"price": free[0].id, "quantity": chance.randrange(1, 5)})
    return said


def test_the_invoice_is_exact_in_25_random_changes(shop, sandbox):
    chance = random.Random(3)
    for _ in range(25):
        price = shop.price(chance.randrange(1, 90_000))
        old, new = chance.randrange(1, 200), chance.randrange(1, 200)
        subscription = shop.subscribe(shop.customer(), (price, old))
        item = item_of(subscription)
        whole = item.current_period_end - item.current_period_start
        sandbox.advance(seconds=chance.randrange(0, 2 * DAY))

        changed = shop.v1.subscriptions.update(
            subscription.id, {"items": [{"id": item.id, "quantity": new}], "expand": ["latest_invoice"], **NOW}
        )

        left = Fraction(item.current_period_end - int(sandbox.world.clock.now()), whole)
        exact = [(-half_up(price.unit_amount * old * left), old), (half_up(price.unit_amount * new * left), new)]
        assert old == new or lines_of(changed.latest_invoice) == exact


def test_cancelling_gives_up_the_change_that_waits(shop, sandbox):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    shop.give_card(customer.id, "chargeCustomerFail")
    said = {"items": [{"id": item_of(subscription).id, "quantity": 2}], "payment_behavior": "pending_if_incomplete"}
    waiting = shop.v1.subscriptions.update(subscription.id, {**said, **NOW})

    ended = shop.v1.subscriptions.cancel(subscription.id)

    assert (ended.status, ended.pending_update) == ("canceled", None)
    assert shop.v1.invoices.retrieve(waiting.latest_invoice).status == "void"
    assert sandbox.event_types()[-1] == "customer.subscription.deleted"
