"""What becomes smaller waits for the end of what was paid, can be taken back, and then happens."""

from datetime import timedelta

import pytest

from billing.add_zone import add_zone
from billing.cfstripe import subscriptions
from billing.changes_calculator.preview import preview
from billing.changes_calculator.request import ChangeRefused, Outcome
from billing.changes_calculator.scheduled import NothingScheduled, TooLate, take_back
from billing.changes_calculator.submit import submit
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from billing.models.scheduled import Sslc
from billing.objectproducts.state import OpeState
from config import clock as business
from config.passing_time import pass_time
from entitlements.models import Entitlement
from tests.billing.people import customer, more, wish

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def plan_element(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True)


def bought(plan_name="pro", **details):
    account, zone = customer()
    submit(wish(account, zone, plan_name=plan_name, **details))
    return account, zone, BillingSchedule.objects.get(account=account)


def pass_to(at):
    list(pass_time(at))


def rules(zone):
    return Entitlement.objects.get(zone_id=zone.pk, feature="rules.page_rules").value


def stripe_items(schedule):
    raw = subscriptions.retrieve(schedule.stripe_subscription_id)
    return raw["status"], raw["cancel_at_period_end"], sorted(item["quantity"] for item in raw["items"]["data"])


def test_a_cancellation_waits_costs_nothing_and_then_the_zone_is_free(clock, stripe_calls):
    clock.freeze()
    account, zone, schedule = bought()
    before = stripe_calls()

    result = submit(wish(account, zone, plan_name="free"))

    assert result.outcome is Outcome.SCHEDULED
    assert stripe_calls() == before
    assert plan_element(zone).state is OpeState.CANCEL_SCHEDULED
    assert rules(zone) == 20
    pass_to(schedule.next_at - timedelta(hours=5))
    assert stripe_items(schedule) == ("active", True, [1])
    assert rules(zone) == 20
    pass_to(schedule.next_at + timedelta(hours=3))
    assert stripe_items(schedule)[0] == "canceled"
    assert (plan_element(zone).current.value, plan_element(zone).state) == ("free", OpeState.GRANTED)
    assert rules(zone) == 3
    schedule.refresh_from_db()
    assert schedule.ended_at is not None
    assert Invoice.objects.filter(account=account).count() == 1


def test_a_downgrade_renews_at_the_lower_price(clock):
    clock.freeze()
    account, zone, schedule = bought("business")

    submit(wish(account, zone, plan_name="pro"))

    assert plan_element(zone).state is OpeState.DOWNGRADE_SCHEDULED
    end = schedule.next_at
    pass_to(end + timedelta(hours=3))
    assert (plan_element(zone).current.value, plan_element(zone).state) == ("pro", OpeState.ACTIVE)
    assert plan_element(zone).current.starts_at == end
    assert rules(zone) == 20
    totals = Invoice.objects.filter(account=account).order_by("created_at").values_list("total_minor", "status")
    assert list(totals) == [(25000, "paid"), (2500, "paid")]


def test_one_of_two_zones_ends_and_the_other_renews(clock):
    clock.freeze()
    account, first, schedule = bought()
    second = add_zone(account.pk, name=f"second-{first.name}", actor="system:tests", now=business.now())
    submit(wish(account, second))

    submit(wish(account, second, plan_name="free"))
    pass_to(schedule.next_at + timedelta(hours=3))

    assert [plan_element(zone).current.value for zone in (first, second)] == ["pro", "free"]
    assert Invoice.objects.filter(account=account).order_by("-created_at").first().total_minor == 2500


def test_fewer_of_a_component_wait_too(clock):
    clock.freeze()
    account, zone, schedule = bought(components=more("page_rules", 30))

    submit(wish(account, zone, components=more("page_rules", 22)))
    assert rules(zone) == 30
    pass_to(schedule.next_at + timedelta(hours=3))

    assert rules(zone) == 22
    assert Invoice.objects.filter(account=account).order_by("-created_at").first().total_minor == 2700


def test_what_is_scheduled_can_be_taken_back_for_nothing(clock, stripe_calls):
    clock.freeze()
    account, zone, schedule = bought()
    submit(wish(account, zone, plan_name="free"))
    before = stripe_calls()

    take_back(account.pk, plan_element(zone).subscription_id, actor="system:tests", now=business.now())

    assert stripe_calls() == before
    assert plan_element(zone).state is OpeState.ACTIVE
    assert Sslc.objects.get(account=account).was_taken_back
    pass_to(schedule.next_at + timedelta(hours=3))
    assert plan_element(zone).current.value == "pro"
    assert Invoice.objects.filter(account=account, status="paid").count() == 2


def test_what_stripe_was_told_can_still_be_taken_back(clock):
    clock.freeze()
    account, zone, schedule = bought()
    submit(wish(account, zone, plan_name="free"))
    pass_to(schedule.next_at - timedelta(hours=1))

    take_back(account.pk, plan_element(zone).subscription_id, actor="system:tests", now=business.now())

    assert stripe_items(schedule) == ("active", False, [1])
    pass_to(schedule.next_at + timedelta(hours=3))
    assert plan_element(zone).current.value == "pro"


def test_what_grows_in_the_last_hours_opens_the_clock_again_and_what_was_scheduled_still_happens(clock, stripe_calls):
    clock.freeze()
    account, first, schedule = bought()
    second = add_zone(account.pk, name=f"second-{first.name}", actor="system:tests", now=business.now())
    submit(wish(account, first, plan_name="free"))
    pass_to(schedule.next_at - timedelta(hours=3))
    asked = wish(account, second, plan_name="business")
    expected, before = preview(asked), stripe_calls()

    submit(asked)

    assert stripe_calls() - before == {"Subscription.retrieve": 1, "Subscription.update": 2}
    assert [plan_element(zone).current.value for zone in (first, second)] == ["pro", "business"]
    assert Invoice.objects.get(account=account, reason="change").total_minor == expected.due_now_minor
    pass_to(schedule.next_at + timedelta(hours=3))
    assert [plan_element(zone).current.value for zone in (first, second)] == ["free", "business"]
    assert Invoice.objects.filter(account=account).order_by("-created_at").first().total_minor == 25000


def test_a_plan_that_was_to_shrink_is_credited_as_it_was_paid_when_another_grows(clock):
    """Told of the end, Stripe had the item at the smaller price already; what was paid for it is not forgotten."""
    clock.freeze()
    account, zone, schedule = bought("business")
    other = add_zone(account.pk, name=f"other-{zone.name}", actor="system:tests", now=business.now())
    submit(wish(account, other, plan_name="business"))
    submit(wish(account, zone, plan_name="pro"))
    pass_to(schedule.next_at - timedelta(hours=3))
    submit(wish(account, other, components=more("page_rules", 250), plan_name="business"))
    take_back(account.pk, plan_element(zone).subscription_id, actor="system:tests", now=business.now())
    asked = wish(account, zone, components=more("page_rules", 260), plan_name="business")
    expected = preview(asked)

    submit(asked)

    newest = Invoice.objects.filter(account=account, reason="change").order_by("-number").first()
    assert newest.total_minor == expected.due_now_minor
    pass_to(schedule.next_at + timedelta(hours=3))
    assert Invoice.objects.filter(account=account, reason="cycle").get().total_minor == 50000 + 20000 + 21000


def test_in_the_last_minutes_of_a_clock_that_closes_nothing_grows(clock):
    clock.freeze()
    account, first, schedule = bought()
    second = add_zone(account.pk, name=f"second-{first.name}", actor="system:tests", now=business.now())
    submit(wish(account, first, plan_name="free"))
    pass_to(schedule.next_at - timedelta(minutes=5))

    with pytest.raises(ChangeRefused) as refused:
        submit(wish(account, second))
    pass_to(schedule.next_at + timedelta(minutes=1))
    submit(wish(account, second))

    assert refused.value.code == "period_closing"
    assert [plan_element(zone).current.value for zone in (first, second)] == ["free", "pro"]


LAST_MINUTES = [
    # before the end         refused
    (timedelta(minutes=11), False),
    (timedelta(minutes=9),  True),
]  # fmt: skip


@pytest.mark.parametrize(("before_end", "refused"), LAST_MINUTES)
def test_in_the_last_minutes_it_is_too_late(clock, before_end, refused):
    clock.freeze()
    account, zone, schedule = bought()
    submit(wish(account, zone, plan_name="free"))
    pass_to(schedule.next_at - before_end)
    subscription_id = plan_element(zone).subscription_id

    if refused:
        with pytest.raises(TooLate):
            take_back(account.pk, subscription_id, actor="system:tests", now=business.now())
    else:
        take_back(account.pk, subscription_id, actor="system:tests", now=business.now())

    assert (plan_element(zone).state is OpeState.ACTIVE) is not refused


def test_nothing_scheduled_is_nothing_to_take_back():
    account, zone, _ = bought()

    with pytest.raises(NothingScheduled):
        take_back(account.pk, plan_element(zone).subscription_id, actor="system:tests", now=business.now())


def test_while_one_change_waits_another_is_refused_and_the_same_is_no_change():
    account, zone, _ = bought("business")
    submit(wish(account, zone, plan_name="pro"))

    with pytest.raises(ChangeRefused) as refused:
        submit(wish(account, zone, plan_name="free"))
    again = submit(wish(account, zone, plan_name="pro"))

    assert refused.value.code == "change_scheduled"
    assert again.outcome is Outcome.UNCHANGED


def test_a_plan_bought_again_after_its_end_starts_a_new_clock(clock):
    clock.freeze()
    account, zone, schedule = bought()
    submit(wish(account, zone, plan_name="free"))
    pass_to(schedule.next_at + timedelta(days=3))

    submit(wish(account, zone))

    again = BillingSchedule.objects.get(account=account, ended_at__isnull=True)
    assert again.anchor_at == plan_element(zone).current.starts_at
    assert again.anchor_at > schedule.next_at
