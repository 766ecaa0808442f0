"""Stripe takes 20 prices and 20 new invoices a day in one subscription; beyond that there is a further one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billing.add_zone import add_zone
from billing.cfstripe import subscriptions
from billing.changes_calculator.clocks import MOST_INVOICES, MOST_PRICES
from billing.changes_calculator.plan import plan
from billing.changes_calculator.preview import preview
from billing.changes_calculator.request import ChangeRefused
from billing.changes_calculator.submit import submit
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from billing.subscriptions import SubscriptionState, subscription_of_zone
from config import clock as business
from config.passing_time import pass_time
from tests.billing.people import customer, more, wish
from tests.billing.test_validate import BUY_PRO, CLEAR, FREE, MONTHLY, PRO, asking

stories = pytest.mark.usefixtures("catalog", "live_server_url")

HALFWAY = datetime(2026, 1, 30, 12, tzinfo=UTC)


def at_other_prices(count):
    """So many zones on the monthly clock, each at a price of its own."""
    return tuple(
        replace(
            PRO,
            id=f"{number:032x}",
            object_id=f"{number:032x}",
            license_source_id=f"sub_1:si_{number}",
            current=replace(PRO.current, stripe_price_id=f"price_{number}"),
        )
        for number in range(count)
    )


ROOM = [
    # prices held         invoices today       joins it
    (MOST_PRICES - 1,     0,                   True),
    (MOST_PRICES,         0,                   False),
    (1,                   MOST_INVOICES - 1,   True),
    (1,                   MOST_INVOICES,       False),
]  # fmt: skip


@pytest.mark.parametrize(("prices", "invoices_today", "joins"), ROOM)
def test_what_is_new_goes_where_there_is_room(prices, invoices_today, joins):
    full = replace(MONTHLY, invoices_today=invoices_today)
    held = replace(CLEAR, elements=(FREE, *at_other_prices(prices)), schedules=(full,))

    change = plan(replace(BUY_PRO, requested_at=HALFWAY), held)

    (call,) = change.calls
    assert (change.schedule_id, call.operation) == (
        (MONTHLY.id, "subscriptions.update") if joins else ("", "subscriptions.create")
    )
    assert change.due_now_minor == 1250
    assert change.elements[0].after.ends_at == MONTHLY.next_at


def test_a_further_subscription_with_room_is_joined():
    full, further = (
        replace(MONTHLY, invoices_today=MOST_INVOICES),
        replace(MONTHLY, id="f" * 32, stripe_subscription_id="sub_2"),
    )

    change = plan(replace(BUY_PRO, requested_at=HALFWAY), replace(CLEAR, schedules=(full, further)))

    assert (change.schedule_id, change.calls[0].object_id) == (further.id, "sub_2")


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_with_room_the_one_that_bills_more_is_joined(first):
    clocks = MONTHLY, replace(MONTHLY, id="f" * 32, stripe_subscription_id="sub_2")
    there = replace(PRO, id="d" * 32, object_id="d" * 32, license_source_id="sub_2:si_9")
    held = replace(CLEAR, elements=(FREE, there), schedules=(clocks[first], clocks[1 - first]))

    change = plan(replace(BUY_PRO, requested_at=HALFWAY), held)

    assert change.calls[0].object_id == "sub_2"


def test_what_is_billed_already_changes_where_it_is_billed():
    other = replace(MONTHLY, id="f" * 32, stripe_subscription_id="sub_2")
    there = replace(PRO, license_source_id="sub_2:si_9")
    held = replace(CLEAR, elements=(there,), schedules=(MONTHLY, other))

    change = plan(replace(asking(plan_name="business"), requested_at=HALFWAY), held)

    assert change.calls[0].object_id == "sub_2"
    assert change.calls[0].params["items"] == [{"id": "si_9", "price": "price_business_month"}]


def test_what_has_no_room_where_it_is_billed_waits_until_tomorrow():
    full = replace(MONTHLY, invoices_today=MOST_INVOICES)

    with pytest.raises(ChangeRefused) as refused:
        plan(
            replace(asking(plan_name="business"), requested_at=HALFWAY),
            replace(CLEAR, elements=(PRO,), schedules=(full,)),
        )

    assert refused.value.code == "too_many_changes"


def test_the_same_item_at_another_price_needs_no_room():
    held = replace(CLEAR, elements=(PRO, *at_other_prices(MOST_PRICES - 1)), schedules=(MONTHLY,))

    change = plan(replace(asking(plan_name="business"), requested_at=HALFWAY), held)

    assert change.calls[0].params["items"] == [{"id": "si_1", "price": "price_business_month"}]


def test_what_would_need_one_price_more_where_it_is_billed_is_not_a_matter_of_tomorrow():
    second = replace(PRO, id="d" * 32, object_id="d" * 32)
    held = replace(CLEAR, elements=(PRO, second, *at_other_prices(MOST_PRICES - 1)), schedules=(MONTHLY,))

    with pytest.raises(ChangeRefused) as refused:
        plan(replace(asking(plan_name="business"), requested_at=HALFWAY), held)

    assert refused.value.code == "too_many_prices"


@stories
def test_the_nineteenth_invoice_of_a_day_is_a_further_subscriptions(clock):
    start = clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    first = BillingSchedule.objects.get(account=account)
    clock.freeze(start.replace(microsecond=0) + (first.next_at - start.replace(microsecond=0)) / 2)
    for count in range(21, 21 + MOST_INVOICES):
        submit(wish(account, zone, components=more("page_rules", count * 10)))
    second = add_zone(account.pk, name=f"second-{zone.name}", actor="system:tests", now=business.now())
    expected = preview(wish(account, second))

    with pytest.raises(ChangeRefused):
        submit(wish(account, zone, components=more("page_rules", 1000)))
    submit(wish(account, second))

    assert expected.due_now_minor == 1250
    newest = Invoice.objects.filter(account=account).order_by("-number").first()
    bought = Ope.objects.get(object_id=second.pk, deleted_date__isnull=True)
    assert (newest.status, newest.total_minor, newest.lines.get().ope_id) == ("paid", 1250, bought.pk)
    assert subscription_of_zone(second).state is SubscriptionState.PAID
    further = BillingSchedule.objects.get(
        account=account, stripe_subscription_id=newest.schedule.stripe_subscription_id
    )
    assert further.pk != first.pk
    assert (further.anchor_at, further.next_at) == (first.anchor_at, first.next_at)
    assert bought.current.ends_at == first.next_at

    list(pass_time(first.next_at + timedelta(hours=3)))
    renewals = Invoice.objects.filter(account=account, reason="cycle")
    assert {(each.schedule_id, each.status, each.period_start) for each in renewals} == {
        (first.pk, "paid", first.next_at),
        (further.pk, "paid", first.next_at),
    }
    further.refresh_from_db()
    first.refresh_from_db()
    assert further.next_at == first.next_at

    third = add_zone(account.pk, name=f"third-{zone.name}", actor="system:tests", now=business.now())
    submit(wish(account, third))
    submit(wish(account, second, plan_name="free"))
    list(pass_time(first.next_at + timedelta(hours=3)))
    assert subscriptions.retrieve(further.stripe_subscription_id)["status"] == "canceled"
    assert subscriptions.retrieve(first.stripe_subscription_id)["status"] == "active"
