"""What a purchase writes and asks for, as values."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from billing.changes_calculator.change_set import ChangeSet
from billing.changes_calculator.plan import plan
from billing.changes_calculator.request import ComponentValue
from billing.changes_calculator.snapshot import Method
from billing.payments.paths import PaymentPath
from tests.billing.test_validate import BUY_PRO, CLEAR, FREE, MONTHLY, PRO, ZONE, asking

CARD = Method("m" * 32, "pm_1", is_default=True)


def test_a_purchase_charges_the_first_period_in_full():
    change = plan(BUY_PRO, CLEAR)

    (element,) = change.elements
    assert (element.ope_id, element.is_new, element.before, element.after.value) == (
        FREE.id,
        False,
        FREE.current,
        "pro",
    )
    assert (element.after.starts_at, element.after.ends_at) == (
        datetime(2026, 1, 15, tzinfo=UTC),
        datetime(2026, 2, 15, tzinfo=UTC),
    )
    assert (change.due_now_minor, change.currency, change.interval) == (2500, "usd", "month")
    assert [line.amount_minor for line in change.lines] == [2500]
    assert change.claims == (f"object:{ZONE}", "clock:month")


def test_more_components_are_elements_and_lines_of_their_own():
    change = plan(asking(components=(ComponentValue("page_rules", 22), ComponentValue("zones", 1))), CLEAR)

    assert [(e.product, e.after.value, e.after.amount_minor) for e in change.elements] == [
        ("zone_plans", "pro", 2500),
        ("page_rules", 22, 200),
    ]
    assert {e.subscription_id for e in change.elements} == {FREE.subscription_id}
    assert change.due_now_minor == 2700
    assert change.calls[0].params["items"] == [
        {"price": "price_pro_month", "quantity": 1},
        {"price": "price_page_rules_month", "quantity": 2},
    ]


PATHS = [
    # on_session  methods   path                             behavior               off_session  method
    (True,       (),       PaymentPath.ON_SESSION_CREATE,  "default_incomplete",  None,        None),
    (True,       (CARD,),  PaymentPath.ON_SESSION_CREATE,  "default_incomplete",  None,        "pm_1"),
    (False,      (CARD,),  PaymentPath.OFF_SESSION_CREATE, "error_if_incomplete", True,        "pm_1"),
]  # fmt: skip


@pytest.mark.parametrize(("on_session", "methods", "path", "behavior", "off_session", "method"), PATHS)
def test_the_path_decides_how_stripe_is_asked(on_session, methods, path, behavior, off_session, method):
    change = plan(replace(BUY_PRO, on_session=on_session), replace(CLEAR, methods=methods))

    (call,) = change.calls
    assert (change.path, call.operation) == (path, "subscriptions.create")
    assert call.params["payment_behavior"] == behavior
    assert call.params.get("off_session") == off_session
    assert call.params.get("default_payment_method") == method


NOTHING = [
    # the request                                             elements
    ({},                                                      (PRO,)),
    ({"interval_name": None},                                 (PRO,)),
    ({"components": (ComponentValue("page_rules", 20),)},     (PRO,)),
    ({"plan_name": "free"},                                   (FREE,)),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "elements"), NOTHING)
def test_what_is_so_already_is_the_empty_change(changes, elements):
    change = plan(asking(**changes), replace(CLEAR, elements=elements))

    assert change.is_empty
    assert (change.calls, change.due_now_minor) == ((), 0)


def test_the_free_tier_asks_stripe_for_nothing():
    change = plan(asking(plan_name="free"), replace(CLEAR, elements=()))

    (element,) = change.elements
    assert (element.is_new, element.license_source, element.after.ends_at) == (True, "USER:free", None)
    assert (change.path, change.calls, change.claims) == (PaymentPath.NOTHING_DUE, (), ())


# On the clock of 15 January to 15 February, 31 days. Amounts for the rest of the period, in minor units.
HALFWAY = datetime(2026, 1, 30, 12, tzinfo=UTC)
ON_THE_CLOCK = replace(CLEAR, elements=(PRO,), schedules=(MONTHLY,))


def test_an_upgrade_is_credit_for_the_old_plan_and_a_charge_for_the_new():
    change = plan(replace(asking(plan_name="business"), requested_at=HALFWAY), ON_THE_CLOCK)

    assert [(line.quantity, line.amount_minor) for line in change.lines] == [(-1, -1250), (1, 12500)]
    assert (change.due_now_minor, change.schedule_id) == (11250, MONTHLY.id)
    (element_change,) = change.elements
    assert (element_change.before, element_change.after.value) == (PRO.current, "business")
    assert (element_change.after.starts_at, element_change.after.ends_at) == (HALFWAY, MONTHLY.next_at)
    (call,) = change.calls
    assert (call.operation, call.object_id) == ("subscriptions.update", "sub_1")
    assert call.params["items"] == [{"id": "si_1", "price": "price_business_month"}]
    assert call.params["payment_behavior"] == "pending_if_incomplete"
    assert (call.params["proration_behavior"], call.params["proration_date"]) == (
        "always_invoice",
        int(HALFWAY.timestamp()),
    )


def test_one_of_many_at_a_price_leaves_its_item():
    others = [replace(PRO, id=letter * 32, object_id=letter * 32) for letter in "ef"]

    change = plan(
        replace(asking(plan_name="business"), requested_at=HALFWAY),
        replace(ON_THE_CLOCK, elements=(PRO, *others)),
    )

    assert change.calls[0].params["items"] == [
        {"price": "price_business_month", "quantity": 1},
        {"id": "si_1", "quantity": 2},
    ]
    assert change.due_now_minor == 11250


def test_a_second_zone_joins_the_clock_and_pays_the_rest_of_the_period():
    other = replace(PRO, id="e" * 32, object_id="e" * 32)

    change = plan(replace(BUY_PRO, requested_at=HALFWAY), replace(ON_THE_CLOCK, elements=(FREE, other)))

    assert change.calls[0].params["items"] == [{"id": "si_1", "quantity": 2}]
    assert [(line.ope_id, line.quantity, line.amount_minor) for line in change.lines] == [(FREE.id, 1, 1250)]


def test_more_of_a_component_is_charged_for_what_is_added():
    rules = replace(
        PRO, id="e" * 32, product="page_rules", kind="sum", license_source_id="sub_1:si_2",
        current=replace(
            PRO.current, value=25, rank=25, price_id="page_rules_month_v1", stripe_price_id="price_page_rules_month",
            unit_amount_minor=100, billed_quantity=5,
        ),
    )  # fmt: skip

    change = plan(
        replace(asking(components=(ComponentValue("page_rules", 30),)), requested_at=HALFWAY),
        replace(ON_THE_CLOCK, elements=(PRO, rules)),
    )

    assert [(e.product, e.before.value, e.after.value) for e in change.elements] == [("page_rules", 25, 30)]
    assert change.calls[0].params["items"] == [{"id": "si_2", "quantity": 10}]
    assert [(line.quantity, line.amount_minor) for line in change.lines] == [(5, 250)]


def test_planning_again_plans_the_same():
    assert plan(BUY_PRO, CLEAR) == plan(BUY_PRO, CLEAR)


def test_a_workflow_keeps_the_plan_whole():
    change = plan(asking(components=(ComponentValue("page_rules", 22),)), replace(CLEAR, methods=(CARD,)))

    assert ChangeSet.from_json(change.to_json()) == change
