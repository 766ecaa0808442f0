"""Every reason to refuse, with the row next to it that is not refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billing.catalog.values import Catalog, ComponentItem, PlanItem, PriceItem
from billing.changes_calculator.licences import Licence
from billing.changes_calculator.request import ChangeRequest, ComponentValue, ObjectKind, Origin, Want
from billing.changes_calculator.snapshot import Element, Method, Schedule, Snapshot, Waiting
from billing.changes_calculator.validate import LARGEST_COUNT, MESSAGES, RULES, validate
from billing.objectproducts.phases import Phase
from billing.objectproducts.state import OpeState

NOW = datetime(2026, 1, 15, tzinfo=UTC)
ACCOUNT, ZONE = "a" * 32, "b" * 32


def price(series, interval, amount_minor, currency="usd"):
    return PriceItem(f"{series}_{interval}_v1", interval, currency, amount_minor, f"price_{series}_{interval}")


def plan_item(name, rank, prices, **changes):
    details = {
        "id": name,
        "family_id": "zone_plans",
        "public_name": name.title(),
        "public_keys": (f"CF_{name.upper()}",),
        "scope": "zone",
        "kind": "enum",
        "rank": rank,
        "is_contract": False,
        "externally_managed": False,
        "sets": (),
        "prices": {interval: price(name, interval, amount) for interval, amount in prices.items()},
        "components": (
            ComponentItem("zones", "sum", 1, {}),
            ComponentItem("page_rules", "sum", 20, {"month": price("page_rules", "month", 100)}),
        ),
        "features": (),
    }
    return PlanItem(**(details | changes))


PLANS = [
    plan_item("free", 0, {"month": 0}),
    plan_item("pro", 1, {"month": 2500, "year": 24000}),
    plan_item("business", 2, {"month": 25000}),
    plan_item("monthly_only", 1, {"month": 900}),
    plan_item("enterprise", 3, {}),
    plan_item("argo", 1, {"month": 500}, family_id="zone_addons", kind="addon"),
    plan_item(
        "beta", 1, {"month": 500}, family_id="zone_addons", kind="addon", scope="account", sets=("preview", "staff")
    ),
    plan_item("r2", 1, {"month": 0}, family_id="developer", kind="addon", scope="account", is_metered=True),
    plan_item("workers", 1, {"month": 500}, family_id="developer", kind="addon", scope="account"),
]
CATALOG = Catalog(1, {p.id: p for p in PLANS}, {alias.lower(): p.id for p in PLANS for alias in (p.id, *p.public_keys)})


def element(plan, rank, *, scheduled_rank=None, interval="month", currency="usd", state=OpeState.ACTIVE):
    phase = Phase(
        plan, rank, plan, f"{plan}_{interval}_v1", f"price_{plan}_{interval}" if rank else "", interval, 2500, 1,
        currency, NOW, None,
    )  # fmt: skip
    scheduled = (
        replace(phase, value="free", rate_plan_id="free", rank=scheduled_rank) if scheduled_rank is not None else None
    )
    return Element("c" * 32, "zone", ZONE, "zone_plans", "enum", "d" * 32, phase, scheduled, "sub_1:si_1", state)


FREE = replace(element("free", 0, state=OpeState.GRANTED), license_source_id="USER:free")
PRO = element("pro", 1)
MONTHLY = Schedule("d" * 32, "month", NOW, datetime(2026, 2, 15, tzinfo=UTC), "sub_1")
# The request comes at NOW: in the last ten minutes of the first, ten minutes before the end of the second.
CLOSING = replace(MONTHLY, is_closing=True, next_at=NOW + timedelta(minutes=9, seconds=59))
STILL_OPEN = replace(MONTHLY, is_closing=True, next_at=NOW + timedelta(minutes=10))
CLEAR = Snapshot(
    account_id=ACCOUNT,
    account_is_contract=False,
    is_banned=False,
    has_bad_debt=False,
    owes_open_invoice=False,
    owned_objects=frozenset({ACCOUNT, ZONE}),
    stripe_customer_id="cus_1",
    catalog=CATALOG,
    elements=(FREE,),
)
PRO_MONTHLY = Want(ObjectKind.ZONE, ZONE, "pro", "monthly")
BUY_PRO = ChangeRequest(
    account_id=ACCOUNT,
    wants=(PRO_MONTHLY,),
    origin=Origin.DASHBOARD,
    actor="customer:tests",
    on_session=True,
    requested_at=NOW,
)
OTHER_WISH = replace(BUY_PRO, wants=(replace(PRO_MONTHLY, plan_name="business"),)).digest()


def asking(**changes):
    """The request for Pro, monthly, but for these details of the want."""
    return replace(BUY_PRO, wants=(replace(PRO_MONTHLY, **changes),))


def yearly(plan, rank):
    paid = element(plan, rank)
    return replace(paid, current=replace(paid.current, interval="year"))


def on_trial(**details):
    return replace(element("pro", 1, **details), license_source_id="USER:trial")


GRANTED = replace(element("pro", 1, state=OpeState.GRANTED), license_source_id="CONTRACT:CONTRACT")
CARD = Method("m" * 32, "pm_1", is_default=True)
GOODWILL = Licence("ADMIN:goodwill")


def pro_with(name, value):
    return {"components": (ComponentValue(name, value),)}


RULES_25 = replace(
    PRO, id="9" * 32, product="page_rules", kind="sum", license_source_id="sub_1:si_2",
    current=replace(
        PRO.current, value=25, rank=25, price_id="page_rules_month_v1", stripe_price_id="price_page_rules_month",
        unit_amount_minor=100, billed_quantity=5,
    ),
)  # fmt: skip
BETA = {"plan_name": "beta", "object_id": ACCOUNT, "object_kind": ObjectKind.ACCOUNT}
HELD_BETA = replace(element("beta", 1), object_kind="account", object_id=ACCOUNT, product="beta")

TABLE = [
    # the request           the account                                                       refused for
    ({},                    {},                                                               []),
    ({},                    {"is_banned": True},                                              ["account_banned"]),
    ({"plan_name": "free"}, {"is_banned": True},                                              []),
    ({},                    {"has_bad_debt": True},                                           ["outstanding_balance"]),
    ({},                    {"owes_open_invoice": True},                                      ["outstanding_balance"]),
    ({"plan_name": "free"}, {"owes_open_invoice": True},                                      []),
    ({},                    {"owes_open_invoice": True, "elements": (PRO,)},                  []),
    # In debt nothing grows: not a plan, not a component, not the time that is paid for. What shrinks may.
    ({"plan_name": "business"}, {"owes_open_invoice": True, "elements": (PRO,)},              ["outstanding_balance"]),
    ({"plan_name": "pro"},  {"owes_open_invoice": True, "elements": (element("business", 2),)}, []),
    (pro_with("page_rules", 20), {"owes_open_invoice": True, "elements": (PRO,)},             []),
    (pro_with("page_rules", 21), {"owes_open_invoice": True, "elements": (PRO,)},             ["outstanding_balance"]),
    (pro_with("page_rules", 24), {"owes_open_invoice": True, "elements": (PRO, RULES_25)},    []),
    (pro_with("page_rules", 25), {"owes_open_invoice": True, "elements": (PRO, RULES_25)},    []),
    (pro_with("page_rules", 26), {"owes_open_invoice": True, "elements": (PRO, RULES_25)},    ["outstanding_balance"]),
    ({"plan_name": "pro", "components": (ComponentValue("page_rules", 26),)}, {"owes_open_invoice": True, "elements": (element("business", 2), RULES_25)}, ["outstanding_balance"]),
    ({"interval_name": "yearly"}, {"owes_open_invoice": True, "elements": (PRO,)},            ["outstanding_balance"]),
    ({},                    {"owes_open_invoice": True, "elements": (yearly("pro", 1),)},     []),
    ({"is_cancellation": True}, {"owes_open_invoice": True, "elements": (PRO,)},              []),
    ({},                    {"owed_by_former_owners": frozenset({ZONE})},                     ["previous_owner_debt"]),
    ({},                    {"owed_by_former_owners": frozenset({"e" * 32})},                 []),
    ({"plan_name": "business"}, {"owed_by_former_owners": frozenset({ZONE}), "elements": (PRO,)}, ["previous_owner_debt"]),
    ({},                    {"owed_by_former_owners": frozenset({ZONE}), "elements": (PRO,)}, []),
    ({"plan_name": "pro"},  {"owed_by_former_owners": frozenset({ZONE}), "elements": (element("business", 2),)}, []),
    ({"plan_name": "free"}, {"owed_by_former_owners": frozenset({ZONE}), "elements": (PRO,)}, []),
    ({},                    {"is_closed": True},                                              ["account_closed"]),
    ({},                    {"is_closed": True, "elements": (PRO,)},                          ["account_closed"]),
    ({"plan_name": "pro"},  {"is_closed": True, "elements": (element("business", 2),)},       ["account_closed"]),
    ({"plan_name": "free"}, {"is_closed": True, "elements": (PRO,)},                          []),
    ({"plan_name": "free"}, {"is_closed": True},                                              []),
    ({"plan_name": "free"}, {"is_closed": True, "elements": ()},                              ["account_closed"]),
    ({"is_cancellation": True}, {"is_closed": True, "elements": (PRO,)},                      []),
    (BETA,                  {},                                                               ["no_product_access"]),
    (BETA,                  {"product_sets": frozenset({"other"})},                           ["no_product_access"]),
    (BETA,                  {"product_sets": frozenset({"staff"})},                           []),
    (BETA,                  {"elements": (HELD_BETA,)},                                       []),
    (BETA | {"is_cancellation": True}, {"elements": (HELD_BETA,)},                            []),
    ({},                    {"is_banned": True, "has_bad_debt": True},                        ["account_banned", "outstanding_balance"]),
    ({},                    {"account_is_contract": True},                                    ["not_self_serve"]),
    ({"plan_name": "enterprise"}, {},                                                         ["not_self_serve", "frequency_not_offered"]),
    ({"plan_name": "nope"}, {},                                                               ["unknown_plan"]),
    ({"plan_name": "Cf_pRo"}, {},                                                             []),
    ({},                    {"owned_objects": frozenset({ACCOUNT})},                                           ["wrong_object"]),
    ({"plan_name": "workers"}, {},                                                            ["wrong_object"]),
    ({"plan_name": "argo"}, {},                                                               ["core_plan_required"]),
    ({"plan_name": "argo"}, {"elements": (PRO,)},                                             []),
    ({},                    {"elements": (element("pro", 1, scheduled_rank=0),)},             ["change_scheduled"]),
    ({"interval_name": "yearly"}, {},                                                         []),
    ({"interval_name": "ANNUAL"}, {},                                                         []),
    ({"interval_name": "weekly"}, {},                                                         ["frequency_not_offered"]),
    ({"interval_name": None}, {},                                                             []),
    ({"interval_name": "weekly", "plan_name": "free"}, {},                                    ["frequency_not_offered"]),
    ({"interval_name": "quarterly", "plan_name": "free"}, {"elements": (PRO,)},               ["frequency_not_offered"]),
    ({"interval_name": "monthly", "plan_name": "free"}, {},                                   []),
    ({"interval_name": "yearly", "plan_name": "free"}, {"elements": (yearly("pro", 1),)},     []),
    ({"interval_name": "weekly", "is_cancellation": True}, {"elements": (PRO,)},              ["frequency_not_offered"]),
    ({"plan_name": "monthly_only", "interval_name": "yearly"}, {},                            ["frequency_not_offered"]),
    (pro_with("page_rules", 19), {},                                                          ["quantity_out_of_range"]),
    (pro_with("page_rules", 20), {},                                                          []),
    (pro_with("page_rules", 21), {},                                                          []),
    (pro_with("page_rules", LARGEST_COUNT), {},                                               []),
    (pro_with("page_rules", LARGEST_COUNT + 1), {},                                           ["quantity_out_of_range"]),
    (pro_with("zones", 1), {},                                                                []),
    (pro_with("zones", 2), {},                                                                ["quantity_out_of_range"]),
    (pro_with("unheard_of", 1), {},                                                           ["quantity_out_of_range"]),
    ({"components": (ComponentValue("page_rules", 21), ComponentValue("page_rules", 22))}, {}, ["quantity_out_of_range"]),
    ({},                    {"waiting": (Waiting("w", OTHER_WISH, frozenset({f"object:{ZONE}"})),)},       ["change_in_flight"]),
    ({},                    {"waiting": (Waiting("w", OTHER_WISH, frozenset({"clock:month"})),)},          ["change_in_flight"]),
    ({},                    {"waiting": (Waiting("w", OTHER_WISH, frozenset({"clock:year"})),)},           []),
    ({},                    {"waiting": (Waiting("w", BUY_PRO.digest(), frozenset({f"object:{ZONE}"})),)}, []),
    ({},                    {"elements": (FREE, replace(element("pro", 1, currency="eur"), object_id=ACCOUNT))}, ["currency_mismatch"]),
    ({},                    {"schedules": (MONTHLY,)},                                        []),
    ({"plan_name": "business"}, {"elements": (PRO,), "schedules": (MONTHLY,)},                []),
    ({"plan_name": "business"}, {"elements": (PRO,), "schedules": (CLOSING,)},                ["period_closing"]),
    ({},                    {"schedules": (CLOSING,)},                                        ["period_closing"]),
    ({},                    {"schedules": (STILL_OPEN,)},                                     []),
    ({"interval_name": "yearly"}, {"schedules": (CLOSING,)},                                  []),
    ({},                    {"elements": (PRO,), "schedules": (CLOSING,)},                    []),
    ({"plan_name": "free"}, {"elements": (PRO,), "schedules": (CLOSING,)},                    []),
    ({"plan_name": "pro"},  {"elements": (element("business", 2),), "schedules": (MONTHLY,)}, []),
    ({"interval_name": "yearly"}, {"elements": (PRO,), "schedules": (MONTHLY,)},              []),
    ({"interval_name": "yearly"}, {"elements": (element("business", 2),)},                    []),
    ({}, {"elements": (yearly("pro", 1),)},                                                   []),
    ({"plan_name": "business"}, {"elements": (yearly("pro", 1),)},                            ["change_not_offered"]),
    (pro_with("page_rules", 21), {"elements": (yearly("pro", 1),)},                           ["change_not_offered"]),
    (pro_with("page_rules", 20), {"elements": (yearly("pro", 1),)},                           []),
    (pro_with("page_rules", 21), {"elements": (PRO,), "schedules": (MONTHLY,)},               []),
    ({"plan_name": "free"}, {"elements": (PRO,)},                                             []),
    ({"plan_name": "free"}, {"elements": (element("pro", 1, scheduled_rank=0),)},             []),
    ({"is_cancellation": True}, {"elements": (PRO,), "is_banned": True},                      []),
    ({"licence": GOODWILL}, {},                                                               ["licence_not_allowed"]),
    ({"is_cancellation": True}, {"account_is_contract": True, "elements": (GRANTED,)},        ["not_self_serve"]),
    ({},                    {"elements": (on_trial(scheduled_rank=0),)},                      []),
    ({"plan_name": "business"}, {"elements": (on_trial(scheduled_rank=1),)},                  []),
]  # fmt: skip


@pytest.mark.parametrize(("request_changes", "account_changes", "codes"), TABLE)
def test_validate(request_changes, account_changes, codes):
    refusals = validate(asking(**request_changes), replace(CLEAR, **account_changes))

    assert [refusal.code for refusal in refusals] == codes


USAGE = [
    # on_session  methods   codes
    (True,        (),       []),
    (False,       (CARD,),  []),
    (False,       (),       ["payment_method_required"]),
]  # fmt: skip


@pytest.mark.parametrize(("on_session", "methods", "codes"), USAGE)
def test_what_is_billed_by_use_needs_a_method_or_somebody_to_give_one(on_session, methods, codes):
    asked = asking(plan_name="r2", object_id=ACCOUNT, object_kind=ObjectKind.ACCOUNT)

    refusals = validate(replace(asked, on_session=on_session), replace(CLEAR, methods=methods))

    assert [refusal.code for refusal in refusals] == codes


SECOND = timedelta(seconds=1)
LICENCES = [
    # the request                                                     the account                 refused for
    ({"licence": GOODWILL},                                           {},                         []),
    ({"licence": GOODWILL},                                           {"owes_open_invoice": True}, ["outstanding_balance"]),
    ({"licence": GOODWILL, "plan_name": "enterprise"},                {},                         []),
    ({"licence": Licence("CONTRACT:CONTRACT")},                       {"account_is_contract": True}, []),
    ({"licence": GOODWILL, "plan_name": "free"},                      {},                         ["invalid_licence"]),
    ({"is_cancellation": True},                                       {"account_is_contract": True, "elements": (GRANTED,)}, []),
    ({"is_cancellation": True},                                       {"account_is_contract": True, "elements": (PRO,)}, ["not_self_serve"]),
    ({"plan_name": "business"},                                       {"account_is_contract": True, "elements": (GRANTED,)}, ["not_self_serve"]),
    (BETA | {"licence": GOODWILL},                                    {},                         []),
    ({"licence": GOODWILL},                                           {"is_closed": True},        ["account_closed"]),
    ({"licence": GOODWILL},                                           {"owed_by_former_owners": frozenset({ZONE})}, ["previous_owner_debt"]),
    ({"licence": GOODWILL, "is_cancellation": True},                  {"elements": (PRO,)},       ["invalid_licence"]),
    ({"licence": GOODWILL},                                           {"elements": (PRO,), "schedules": (MONTHLY,)}, []),
    ({"licence": GOODWILL},                                           {"elements": (PRO,), "schedules": (CLOSING,)}, ["period_closing"]),
    ({"licence": GOODWILL},                                           {"elements": (FREE,), "schedules": (CLOSING,)}, []),
    ({"licence": GOODWILL},                                           {"elements": (element("pro", 1, scheduled_rank=0),)}, ["change_scheduled"]),
    ({"licence": Licence("USER:trial", NOW + SECOND)},                {},                         []),
    ({"licence": Licence("USER:trial", NOW)},                         {},                         ["invalid_licence"]),
    ({"licence": Licence("USER:trial", NOW + SECOND, "pro")},         {},                         []),
    ({"licence": Licence("USER:trial", NOW + SECOND, "business")},    {},                         ["invalid_licence"]),
    ({"licence": Licence("USER:trial", NOW + SECOND, "argo")},        {},                         ["invalid_licence"]),
    ({"licence": Licence("USER:trial", NOW + SECOND, "nope")},        {},                         ["invalid_licence"]),
]  # fmt: skip


@pytest.mark.parametrize(("request_changes", "account_changes", "codes"), LICENCES)
def test_a_service_may_grant_what_can_be_granted(request_changes, account_changes, codes):
    asked = replace(asking(**request_changes), origin=Origin.IAPI)

    refusals = validate(asked, replace(CLEAR, **account_changes))

    assert [refusal.code for refusal in refusals] == codes


def test_a_cart_is_of_one_interval():
    yearly = replace(PRO_MONTHLY, object_id=ACCOUNT, object_kind=ObjectKind.ACCOUNT, plan_name="workers_yearly")
    plans = CATALOG.plans | {
        "workers_yearly": replace(CATALOG.plans["workers"], prices={"year": price("w", "year", 5)})
    }
    catalog = replace(CATALOG, plans=plans, aliases=CATALOG.aliases | {"workers_yearly": "workers_yearly"})
    cart = replace(BUY_PRO, wants=(PRO_MONTHLY, replace(yearly, interval_name="yearly")))

    refusals = validate(cart, replace(CLEAR, catalog=catalog))

    assert [refusal.code for refusal in refusals] == ["one_interval_per_cart"]


CARTS = [
    # what is wanted beside pro for the zone                           codes
    (PRO_MONTHLY,                                                      ["wanted_twice"]),
    (replace(PRO_MONTHLY, plan_name="business"),                       ["wanted_twice"]),
    (replace(PRO_MONTHLY, plan_name="argo"),                           []),
    (replace(PRO_MONTHLY, plan_name="argo", object_id="f" * 32),       ["wrong_object", "core_plan_required"]),
]  # fmt: skip


@pytest.mark.parametrize(("other", "codes"), CARTS)
def test_a_cart_fills_each_place_once_and_brings_what_an_add_on_needs(other, codes):
    refusals = validate(replace(BUY_PRO, wants=(PRO_MONTHLY, other)), CLEAR)

    assert [refusal.code for refusal in refusals] == codes


def test_an_add_on_needs_a_plan_that_is_paid():
    free, argo = replace(PRO_MONTHLY, plan_name="free"), replace(PRO_MONTHLY, plan_name="argo")

    refusals = validate(replace(BUY_PRO, wants=(free, argo)), CLEAR)

    assert [refusal.code for refusal in refusals] == ["core_plan_required"]


def test_each_rule_refuses_in_the_table_and_says_why():
    refused = {code for _, _, codes in [*TABLE, *LICENCES] for code in codes}
    refused |= {"one_interval_per_cart", "wanted_twice", "payment_method_required"}

    assert refused == {rule.code for rule in RULES} == set(MESSAGES)
