"""A zone's add-ons need its plan: they end when it does, and are kept when it is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from billing.add_zone import add_zone
from billing.change_subscription import take_back_changes
from billing.changes_calculator.preview import preview
from billing.changes_calculator.request import ChangeRefused, Outcome
from billing.changes_calculator.submit import submit
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from billing.models.scheduled import Sslc
from config import clock as business
from config.passing_time import pass_time
from tests.billing.people import customer, wish
from tests.counting import count_statements

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

ADD_ONS = ["argo_zone_basic", "page_rules_20"]


def live(zone):
    return {ope.product: ope for ope in Ope.objects.filter(object_id=zone.pk, deleted_date__isnull=True)}


@pytest.fixture
def zone_with_add_ons(clock):
    """Pro with one add-on paid monthly, and one yearly."""
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    submit(wish(account, zone, plan_name="argo_zone_basic"))
    submit(wish(account, zone, plan_name="page_rules_20", interval_name="yearly"))
    return account, zone


def test_add_ons_end_with_the_plan_each_when_what_was_paid_for_it_does(zone_with_add_ons):
    account, zone = zone_with_add_ons
    monthly, yearly = BillingSchedule.objects.filter(account=account).order_by("next_at")
    cancelling = wish(account, zone, plan_name="free")
    assert {each.product for each in preview(cancelling).scheduled} == {"zone_plans", *ADD_ONS}

    assert submit(cancelling).outcome is Outcome.SCHEDULED
    assert submit(wish(account, zone, plan_name="free")).outcome is Outcome.UNCHANGED

    list(pass_time(monthly.next_at + timedelta(hours=3)))
    assert {name: ope.current.value for name, ope in live(zone).items()} == {
        "zone_plans": "free",
        "page_rules_20": "page_rules_20",
    }
    monthly.refresh_from_db()
    assert monthly.ended_at is not None
    list(pass_time(yearly.next_at + timedelta(hours=3)))
    assert set(live(zone)) == {"zone_plans"}
    assert Invoice.objects.filter(account=account).count() == 3


def test_whoever_keeps_the_plan_keeps_what_hangs_on_it(zone_with_add_ons):
    account, zone = zone_with_add_ons
    submit(wish(account, zone, plan_name="free"))

    take_back_changes(account.pk, [live(zone)["zone_plans"].subscription_id], actor="tests", now=business.now())

    assert not Sslc.objects.filter(account=account, ended_at__isnull=True).exists()
    assert [ope.scheduled for ope in live(zone).values()] == [None] * 3


def test_an_add_on_can_not_be_kept_without_the_plan(zone_with_add_ons):
    account, zone = zone_with_add_ons
    submit(wish(account, zone, plan_name="free"))
    ids = {name: ope.subscription_id for name, ope in live(zone).items()}

    with pytest.raises(ChangeRefused) as refused:
        take_back_changes(account.pk, [ids["argo_zone_basic"]], actor="tests", now=business.now())
    take_back_changes(account.pk, [ids["argo_zone_basic"], ids["zone_plans"]], actor="tests", now=business.now())

    assert refused.value.code == "core_plan_required"
    assert not Sslc.objects.filter(account=account, ended_at__isnull=True).exists()


def test_an_add_on_that_was_cancelled_by_itself_stays_cancelled(zone_with_add_ons):
    account, zone = zone_with_add_ons
    cancelling = wish(account, zone, plan_name="argo_zone_basic")
    submit(replace(cancelling, wants=(replace(cancelling.wants[0], is_cancellation=True),)))
    submit(wish(account, zone, plan_name="free"))

    take_back_changes(account.pk, [live(zone)["zone_plans"].subscription_id], actor="tests", now=business.now())

    waiting = Sslc.objects.get(account=account, ended_at__isnull=True)
    assert waiting.subscription_id == live(zone)["argo_zone_basic"].subscription_id


def test_nothing_is_bought_for_a_plan_that_is_going_to_end(clock):
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    submit(wish(account, zone, plan_name="free"))

    with pytest.raises(ChangeRefused) as refused:
        submit(wish(account, zone, plan_name="argo_zone_basic"))

    assert refused.value.code == "change_scheduled"


def test_many_that_end_at_once_cost_as_many_statements_as_one(clock):
    clock.freeze()
    account, zone = customer()
    zones = [zone, *(add_zone(account.pk, name=f"z{n}-{zone.name}", actor="t", now=business.now()) for n in range(9))]
    together = [wish(account, each).wants[0] for each in zones]
    submit(replace(wish(account, zone), wants=tuple(together)))
    free = tuple(replace(want, plan_name="free") for want in together)

    with count_statements() as statements:
        submit(replace(wish(account, zone), wants=free))

    assert Sslc.objects.filter(account=account, ended_at__isnull=True).count() == 10
    assert len(statements) <= 25
