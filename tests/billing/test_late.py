"""Nobody was at work when a period ended: what was to become smaller before it is put right when somebody is again."""

from datetime import timedelta

import pytest

from billing.add_zone import add_zone
from billing.cfstripe import invoices, subscriptions
from billing.changes_calculator.submit import submit
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from config import clock as business
from config.passing_time import pass_time
from tests.billing.people import customer, more, wish

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

AWAY = timedelta(minutes=30)


def plan_of(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True).current.value


def bought(plan_name="pro", **details):
    account, zone = customer()
    submit(wish(account, zone, plan_name=plan_name, **details))
    return account, zone, BillingSchedule.objects.get(account=account)


def nobody_works_until(clock, at):
    """Stripe goes on alone; then the workers are back."""
    clock.freeze(at)
    list(pass_time(at + timedelta(hours=3)))


def newest(account):
    return Invoice.objects.filter(account=account).order_by("-created_at").first()


def test_what_was_cancelled_costs_nothing(clock):
    clock.freeze()
    account, zone, schedule = bought(components=more("page_rules", 22))
    submit(wish(account, zone, plan_name="free"))

    nobody_works_until(clock, schedule.next_at + AWAY)

    assert plan_of(zone) == "free"
    invoice = newest(account)
    assert (invoice.reason, invoice.status, invoice.total_minor, invoice.paid_minor) == ("cycle", "paid", 0, 0)
    assert sum(invoice.lines.values_list("amount_minor", flat=True)) == 0
    assert subscriptions.retrieve(schedule.stripe_subscription_id)["status"] == "canceled"
    schedule.refresh_from_db()
    assert schedule.ended_at is not None


def test_what_became_smaller_costs_what_it_is(clock):
    clock.freeze()
    account, zone, schedule = bought("business")
    submit(wish(account, zone, plan_name="pro"))

    nobody_works_until(clock, schedule.next_at + AWAY)

    assert plan_of(zone) == "pro"
    invoice = newest(account)
    assert (invoice.status, invoice.total_minor) == ("paid", 2500)
    assert [line.amount_minor for line in invoice.lines.all()] == [2500]
    assert invoices.retrieve(invoice.stripe_invoice_id)["amount_paid"] == 2500


def test_what_others_have_on_the_clock_is_billed_as_ever(clock):
    clock.freeze()
    account, first, schedule = bought()
    second = add_zone(account.pk, name=f"second-{first.name}", actor="system:tests", now=business.now())
    submit(wish(account, second))
    submit(wish(account, second, plan_name="free"))

    nobody_works_until(clock, schedule.next_at + AWAY)

    assert (plan_of(first), plan_of(second)) == ("pro", "free")
    assert (newest(account).status, newest(account).total_minor) == ("paid", 2500)
    list(pass_time(BillingSchedule.objects.get(account=account).next_at + timedelta(hours=3)))
    assert newest(account).total_minor == 2500
    assert plan_of(first) == "pro"


def test_a_year_that_was_to_end_is_not_billed_again_and_the_month_is(clock):
    clock.freeze()
    account, zone, schedule = bought(interval_name="yearly")
    submit(wish(account, zone, interval_name="monthly"))

    nobody_works_until(clock, schedule.next_at + AWAY)

    paid = Invoice.objects.filter(account=account).order_by("created_at").values_list("total_minor", flat=True)
    assert list(paid) == [24000, 0, 2500]
    assert plan_of(zone) == "pro"
