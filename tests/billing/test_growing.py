"""What is bought on a clock that runs: joined, charged for the rest of the period, and nothing before it is paid."""

from datetime import timedelta

import pytest

from accounts.lock import AccountBusy
from billing.add_zone import add_zone
from billing.cfstripe import subscriptions
from billing.changes_calculator.request import Outcome, PaymentDeclined
from billing.changes_calculator.resume import resume_due
from billing.changes_calculator.submit import submit
from billing.changes_calculator.tidy import tidy_due
from billing.invoicing.books import Book
from billing.invoicing.ledger import balance_minor
from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.empty_items import EmptyItem
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from billing.objectproducts.state import OpeState
from billing.payments.methods import store_test_card
from config import clock as business
from tests.billing.people import DECLINED, NEEDS_3DS, customer, more, wish
from tests.counting import count_statements

pytestmark = pytest.mark.usefixtures("story", "catalog")


def plan_element(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True)


def quantities(account):
    subscription_id = BillingSchedule.objects.get(account=account).stripe_subscription_id
    return sorted(item["quantity"] for item in subscriptions.retrieve(subscription_id)["items"]["data"])


def tidy():
    while tidy_due(now=business.now()):
        continue


def newest_invoice(account):
    return Invoice.objects.filter(account=account).order_by("-number").first()


@pytest.fixture
def halfway(clock):
    """An account that has paid for Pro, half of its period later."""
    start = clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    end = BillingSchedule.objects.get(account=account).next_at
    clock.freeze(start.replace(microsecond=0) + (end - start.replace(microsecond=0)) / 2)
    return account, zone


def test_an_upgrade_charges_the_difference_for_the_rest_of_the_period(halfway, stripe_calls):
    account, zone = halfway
    end = plan_element(zone).current.ends_at
    asked = wish(account, zone, plan_name="business")
    before = stripe_calls()

    with count_statements() as statements:
        result = submit(asked)

    assert result.outcome is Outcome.COMMITTED
    assert len(statements) <= 25
    assert stripe_calls() - before == {"Subscription.update": 1}
    element = plan_element(zone)
    assert (element.current.value, element.state, element.current.ends_at) == ("business", OpeState.ACTIVE, end)
    invoice = newest_invoice(account)
    assert (invoice.reason, invoice.status, invoice.total_minor) == ("change", "paid", 11250)
    assert [(line.ope_id, line.amount_minor) for line in invoice.lines.order_by("amount_minor")] == [
        (element.pk, -1250),
        (element.pk, 12500),
    ]
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 0
    assert balance_minor(account.pk, Book.CASH_STRIPE, currency="usd") == 2500 + 11250


def test_a_second_zone_joins_the_same_subscription(halfway):
    account, first = halfway
    second = add_zone(account.pk, name=f"second-{first.name}", actor="system:tests", now=business.now())

    submit(wish(account, second))

    assert plan_element(second).license_source_id == plan_element(first).license_source_id
    assert plan_element(second).current.ends_at == plan_element(first).current.ends_at
    invoice = newest_invoice(account)
    assert [(line.ope_id, line.amount_minor) for line in invoice.lines.all()] == [(plan_element(second).pk, 1250)]
    assert BillingSchedule.objects.filter(account=account).count() == 1


def test_one_of_two_zones_moves_to_an_item_of_its_own(halfway):
    account, first = halfway
    second = add_zone(account.pk, name=f"second-{first.name}", actor="system:tests", now=business.now())
    submit(wish(account, second))

    submit(wish(account, second, plan_name="business"))

    assert plan_element(second).license_source_id != plan_element(first).license_source_id
    assert newest_invoice(account).total_minor == 11250


def test_more_of_a_component_is_charged_for_the_rest_of_the_period(halfway):
    account, zone = halfway

    submit(wish(account, zone, components=more("page_rules", 30)))

    rules = Ope.objects.get(object_id=zone.pk, product="page_rules")
    assert (rules.current.value, rules.current.amount_minor) == (30, 1000)
    assert newest_invoice(account).total_minor == 500


def test_a_declined_upgrade_changes_nothing(halfway):
    account, zone = halfway
    store_test_card(account.pk, number=DECLINED, actor="system:tests", now=business.now())
    before = plan_element(zone).value_phases

    with pytest.raises(PaymentDeclined):
        submit(wish(account, zone, plan_name="business"))

    assert plan_element(zone).value_phases == before
    assert plan_element(zone).state is OpeState.ACTIVE
    assert Invoice.objects.filter(account=account).count() == 1
    assert not ChangeClaim.objects.filter(account=account).exists()


def test_an_upgrade_that_the_bank_asks_about_waits_and_then_happens(halfway, sandbox):
    account, zone = halfway
    store_test_card(account.pk, number=NEEDS_3DS, actor="system:tests", now=business.now())
    result = submit(wish(account, zone, plan_name="business"))
    assert result.outcome is Outcome.AWAITING_PAYMENT
    assert plan_element(zone).current.value == "pro"

    sandbox.post("/_sandbox/authenticate", {"client_secret": result.client_secret, "outcome": "complete"})
    resume_due(now=business.now() + timedelta(minutes=10))

    assert plan_element(zone).current.value == "business"
    assert newest_invoice(account).total_minor == 11250


def test_an_upgrade_that_nobody_confirms_expires_with_its_invoice(halfway, clock):
    account, zone = halfway
    store_test_card(account.pk, number=NEEDS_3DS, actor="system:tests", now=business.now())
    result = submit(wish(account, zone, plan_name="business"))

    clock.advance(hours=23, minutes=1)
    while resume_due(now=business.now()):
        continue

    assert ChangeWorkflow.objects.get(pk=result.workflow_id).step == "expired"
    assert plan_element(zone).current.value == "pro"
    assert Invoice.objects.filter(account=account).count() == 1


def test_a_price_that_nobody_has_any_more_can_be_bought_again(halfway):
    account, first = halfway
    second = add_zone(account.pk, name=f"second-{first.name}", actor="system:tests", now=business.now())
    third = add_zone(account.pk, name=f"third-{first.name}", actor="system:tests", now=business.now())
    submit(wish(account, second, plan_name="business"))
    submit(wish(account, first, plan_name="business"))  # the item of Pro bills nothing now

    tidy()
    submit(wish(account, third))

    assert quantities(account) == [1, 2]
    assert plan_element(third).current.value == "pro"


@pytest.fixture
def with_an_empty_item(halfway):
    """An account whose two zones have moved to Business, a third that is free, and nobody has tidied up yet."""
    account, first = halfway
    second, third = (
        add_zone(account.pk, name=f"{name}-{first.name}", actor="system:tests", now=business.now())
        for name in ("second", "third")
    )
    submit(wish(account, second, plan_name="business"))
    submit(wish(account, first, plan_name="business"))
    assert quantities(account) == [0, 2]
    return account, third


def test_a_price_whose_item_is_still_there_is_bought_by_filling_it_again(with_an_empty_item):
    account, third = with_an_empty_item

    submit(wish(account, third))
    tidy()

    assert quantities(account) == [1, 2]
    assert plan_element(third).current.value == "pro"
    assert not EmptyItem.objects.filter(schedule__account=account).exists()


def test_nothing_is_tidied_under_a_change_that_waits_for_its_payment(with_an_empty_item, sandbox):
    account, third = with_an_empty_item
    store_test_card(account.pk, number=NEEDS_3DS, actor="system:tests", now=business.now())
    waits = submit(wish(account, third))

    tidy()
    sandbox.post("/_sandbox/authenticate", {"client_secret": waits.client_secret, "outcome": "complete"})
    resume_due(now=business.now() + timedelta(minutes=10))

    assert plan_element(third).current.value == "pro"
    assert quantities(account) == [1, 2]


def test_while_stripe_is_asked_to_take_an_item_off_the_clock_is_busy(with_an_empty_item, sandbox):
    account, third = with_an_empty_item
    sandbox.post("/_sandbox/faults", {"kind": "outage", "minutes": 1})
    tidy()

    with pytest.raises(AccountBusy):
        submit(wish(account, third))
    sandbox.delete("/_sandbox/faults")
    tidy_due(now=business.now() + timedelta(seconds=30))
    submit(wish(account, third))

    assert quantities(account) == [1, 2]
