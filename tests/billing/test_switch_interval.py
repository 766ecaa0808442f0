"""Monthly becomes yearly now, with the unused month credited; yearly becomes monthly when the year is over."""

from datetime import timedelta

import pytest

from accounts.models import Notice
from billing.add_zone import add_zone
from billing.cfstripe import subscriptions
from billing.changes_calculator.left_clocks import follow_due
from billing.changes_calculator.preview import preview
from billing.changes_calculator.request import ChangeRefused, Outcome, PaymentDeclined
from billing.changes_calculator.scheduled import take_back
from billing.changes_calculator.submit import submit
from billing.invoicing.ledger import Book, balance_minor
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from billing.objectproducts.state import OpeState
from billing.payments.methods import store_test_card
from config import clock as business
from config.passing_time import pass_time
from entitlements.models import Entitlement
from tests.billing.people import DECLINED, NEEDS_3DS, customer, more, wish
from tests.counting import count_statements

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def plan_element(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True)


def holds(zone):
    phase = plan_element(zone).current
    return phase.value, phase.interval


def clock_of(account, interval):
    return BillingSchedule.objects.filter(account=account, interval=interval).order_by("-anchor_at").first()


def newest_invoice(account):
    return Invoice.objects.filter(account=account).order_by("-created_at", "-number").first()


def pass_to(at):
    list(pass_time(at))


def rules(zone):
    return Entitlement.objects.get(zone_id=zone.pk, feature="rules.page_rules").value


@pytest.fixture
def halfway(clock):
    """An account that has paid for a month of Pro, half of it later."""
    start = clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    end = clock_of(account, "month").next_at
    clock.freeze(start.replace(microsecond=0) + (end - start.replace(microsecond=0)) / 2)
    return account, zone


def test_the_unused_month_is_credited_on_the_invoice_of_the_year(halfway, stripe_calls):
    account, zone = halfway
    asked = wish(account, zone, interval_name="yearly")
    expected, before = preview(asked), stripe_calls()

    with count_statements() as statements:
        result = submit(asked)

    assert result.outcome is Outcome.COMMITTED
    # One more than a change on one clock: the clock that is left is written too.
    assert len(statements) <= 25, "\n".join(s[:400] for s in statements)
    assert stripe_calls() - before == {"Subscription.create": 1, "Invoice.pay": 1}
    invoice = newest_invoice(account)
    assert (invoice.status, invoice.total_minor, expected.due_now_minor) == ("paid", 24000 - 1250, 24000 - 1250)
    lines = sorted(invoice.lines.values_list("ope_id", "amount_minor"))
    assert lines == sorted((line.ope_id, line.amount_minor) for line in expected.lines)
    assert holds(zone) == ("pro", "year")
    assert plan_element(zone).state is OpeState.ACTIVE
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 0


def test_the_monthly_subscription_ends_when_nothing_is_left_on_it_and_never_renews(halfway):
    account, zone = halfway
    month = clock_of(account, "month")
    submit(wish(account, zone, interval_name="yearly"))

    pass_to(month.next_at + timedelta(hours=3))

    assert subscriptions.retrieve(month.stripe_subscription_id)["status"] == "canceled"
    month.refresh_from_db()
    assert month.ended_at is not None
    assert list(Invoice.objects.filter(account=account, reason="cycle")) == []
    assert rules(zone) == 20


def test_what_stays_monthly_renews_by_itself(halfway):
    account, zone = halfway
    other = add_zone(account.pk, name=f"other-{zone.name}", actor="system:tests", now=business.now())
    submit(wish(account, other))
    submit(wish(account, zone, interval_name="yearly"))

    pass_to(clock_of(account, "month").next_at + timedelta(hours=3))

    assert [holds(each) for each in (zone, other)] == [("pro", "year"), ("pro", "month")]
    assert Invoice.objects.get(account=account, reason="cycle").total_minor == 2500


def test_components_go_along(halfway):
    account, zone = halfway
    submit(wish(account, zone, components=more("page_rules", 30)))
    asked = wish(account, zone, interval_name="yearly", components=more("page_rules", 25))
    expected = preview(asked)

    submit(asked)

    assert newest_invoice(account).total_minor == expected.due_now_minor == 24000 + 5 * 1200 - 1250 - 500
    assert rules(zone) == 25


def test_it_joins_the_year_that_runs(halfway):
    account, zone = halfway
    other = add_zone(account.pk, name=f"other-{zone.name}", actor="system:tests", now=business.now())
    submit(wish(account, other, interval_name="yearly"))
    asked = wish(account, zone, interval_name="yearly")
    expected = preview(asked)

    submit(asked)

    assert newest_invoice(account).total_minor == expected.due_now_minor == 24000 - 1250
    assert plan_element(zone).license_source_id == plan_element(other).license_source_id
    assert newest_invoice(account).reason == "change"


def test_a_credit_is_never_more_than_what_is_to_be_paid(clock):
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone, interval_name="yearly"))
    pass_to(clock_of(account, "year").next_at - timedelta(days=2))
    other = add_zone(account.pk, name=f"other-{zone.name}", actor="system:tests", now=business.now())
    submit(wish(account, other))
    asked = wish(account, other, interval_name="yearly")
    expected = preview(asked)

    submit(asked)

    assert expected.due_now_minor == newest_invoice(account).total_minor == 0
    assert holds(other) == ("pro", "year")


def test_a_declined_year_leaves_the_month(halfway):
    account, zone = halfway
    store_test_card(account.pk, number=DECLINED, actor="system:tests", now=business.now())

    with pytest.raises(PaymentDeclined):
        submit(wish(account, zone, interval_name="yearly"))

    assert holds(zone) == ("pro", "month")
    assert subscriptions.retrieve(clock_of(account, "month").stripe_subscription_id)["status"] == "active"


def test_a_year_that_the_bank_asks_about_waits_and_holds_both_clocks(halfway, sandbox):
    account, zone = halfway
    other = add_zone(account.pk, name=f"other-{zone.name}", actor="system:tests", now=business.now())
    store_test_card(account.pk, number=NEEDS_3DS, actor="system:tests", now=business.now())
    result = submit(wish(account, zone, interval_name="yearly"))

    with pytest.raises(ChangeRefused) as refused:
        submit(wish(account, other))
    sandbox.post("/_sandbox/authenticate", {"client_secret": result.client_secret, "outcome": "complete"})
    pass_to(business.now() + timedelta(minutes=11))

    assert refused.value.code == "change_in_flight"
    assert holds(zone) == ("pro", "year")
    assert not follow_due(now=business.now())


def test_smaller_and_yearly_waits_for_the_end_of_the_month(clock):
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone, plan_name="business"))

    result = submit(wish(account, zone, interval_name="yearly"))
    pass_to(clock_of(account, "month").next_at + timedelta(hours=3))

    assert result.outcome is Outcome.SCHEDULED
    assert holds(zone) == ("pro", "year")
    assert newest_invoice(account).total_minor == 24000


@pytest.fixture
def yearly(clock):
    """An account that has paid for a year of Pro, with five rules more, and wants to pay monthly afterwards."""
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone, interval_name="yearly", components=more("page_rules", 25)))
    result = submit(wish(account, zone, interval_name="monthly"))
    assert result.outcome is Outcome.SCHEDULED
    return account, zone


def test_when_the_year_is_over_the_month_is_bought(yearly):
    account, zone = yearly
    year = clock_of(account, "year")

    pass_to(year.next_at + timedelta(hours=3))

    assert holds(zone) == ("pro", "month")
    assert rules(zone) == 25
    assert (newest_invoice(account).status, newest_invoice(account).total_minor) == ("paid", 2500 + 500)
    year.refresh_from_db()
    assert year.ended_at is not None
    assert subscriptions.retrieve(year.stripe_subscription_id)["status"] == "canceled"
    pass_to(clock_of(account, "month").next_at + timedelta(hours=3))
    assert Invoice.objects.filter(account=account, status="paid").count() == 3


def test_on_a_monthly_clock_that_runs_it_pays_the_rest_of_the_month(yearly):
    account, zone = yearly
    other = add_zone(account.pk, name=f"other-{zone.name}", actor="system:tests", now=business.now())
    year = clock_of(account, "year")
    pass_to(year.next_at - timedelta(days=10))
    submit(wish(account, other))

    pass_to(year.next_at + timedelta(hours=3))

    month = clock_of(account, "month")
    assert plan_element(zone).license_source_id.startswith(month.stripe_subscription_id)
    assert plan_element(zone).current.ends_at == month.next_at
    assert 0 < newest_invoice(account).total_minor < 3000


def test_a_month_that_nobody_pays_for_is_free_and_the_customer_is_told(yearly):
    account, zone = yearly
    store_test_card(account.pk, number=DECLINED, actor="system:tests", now=business.now())

    pass_to(clock_of(account, "year").next_at + timedelta(hours=3))

    assert plan_element(zone).current.value == "free"
    assert rules(zone) == 3
    assert Notice.objects.get(account=account, kind="switch_unpaid")
    assert clock_of(account, "year").ended_at is not None
    assert Invoice.objects.filter(account=account).count() == 1


def test_it_can_be_taken_back(yearly):
    account, zone = yearly
    year = clock_of(account, "year")
    pass_to(year.next_at - timedelta(hours=1))

    take_back(account.pk, plan_element(zone).subscription_id, actor="system:tests", now=business.now())
    pass_to(year.next_at + timedelta(hours=3))

    assert holds(zone) == ("pro", "year")
    assert newest_invoice(account).total_minor == 24000 + 6000


def test_what_is_to_grow_grows_before_it_is_paid_monthly(clock):
    account, zone = customer()
    submit(wish(account, zone, interval_name="yearly"))

    for larger in (wish(account, zone, "business"), wish(account, zone, components=more("page_rules", 21))):
        with pytest.raises(ChangeRefused) as refused:
            submit(larger)
        assert refused.value.code == "change_not_offered"


def test_what_stays_monthly_grows_by_what_it_costs_after_another_left(halfway):
    account, zone = halfway
    other = add_zone(account.pk, name=f"other-{zone.name}", actor="system:tests", now=business.now())
    submit(wish(account, other))
    submit(wish(account, zone, interval_name="yearly"))
    pass_to(business.now())
    asked = wish(account, other, "business")
    expected = preview(asked)

    submit(asked)

    invoice = newest_invoice(account)
    assert invoice.total_minor == expected.due_now_minor == (25000 - 2500) // 2
    assert list(invoice.lines.filter(ope_id=None)) == []
