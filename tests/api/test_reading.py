"""What the API shows: held against the contract, in a fixed number of statements, whatever there is."""

from datetime import timedelta

import pytest

from accounts.models import new_id
from accounts.roles import Role
from billing.changes_calculator.change_set import ChangeSet, ElementChange
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import Invoice, InvoiceLine
from billing.models.objectproducts import Ope
from billing.payments.paths import PaymentPath
from entitlements.models import Entitlement
from tests.api.conftest import Api
from tests.api.contract import METHODS, deviations
from tests.counting import count_statements
from tests.factories import SINCE, OpeFactory, clear, free_zone, phase_of, token_for

pytestmark = pytest.mark.usefixtures("on_sale")

PRO = phase_of("pro")


@pytest.fixture
def account(on_sale):
    return clear(name="Fixture Ltd")


@pytest.fixture
def zone(account):
    return free_zone(account)


@pytest.fixture
def api(account):
    return Api(token_for(account))


def plan_of(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans")


def own(zone, phase=PRO, license_source="sub_1:si_1", **columns):
    """Let the zone own this phase, billed by Stripe."""
    columns |= {"value_phases": [phase.to_json()], "license_source_id": license_source}
    Ope.objects.filter(object_id=zone.pk, product="zone_plans").update(**columns)


def invoice(zone, *, status="paid", price_id=PRO.price_id, period_start=PRO.starts_at, period_end=PRO.ends_at):
    """Bill the zone's plan, for a period."""
    made = Invoice.objects.create(
        account=zone.account, status=status, reason="purchase", currency="usd", subtotal_minor=2500, total_minor=2500,
        paid_minor=2500 if status == "paid" else 0, period_start=period_start, period_end=period_end,
        created_at=SINCE, finalized_at=SINCE, paid_at=SINCE if status == "paid" else None,
    )  # fmt: skip
    InvoiceLine.objects.create(
        invoice=made, ope=plan_of(zone), description="Pro Plan", price_id=price_id, quantity=1, unit_amount_minor=2500,
        amount_minor=2500, in_advance=True, period_start=period_start, period_end=period_end,
    )  # fmt: skip


def wait(zone, *, step="awaiting_payment", phase=PRO):
    """Let a change to this phase wait for its payment."""
    ope = plan_of(zone)
    element = ElementChange(
        ope_id=ope.pk, is_new=False, object_kind="zone", object_id=zone.pk, product="zone_plans", kind="enum",
        subscription_id=ope.subscription_id, before=ope.current, after=phase, license_source="stripe", why="bought",
    )  # fmt: skip
    change = ChangeSet(
        path=PaymentPath.ON_SESSION_CREATE, currency="usd", interval="month", due_now_minor=2500,
        period_start=phase.starts_at, period_end=phase.ends_at, elements=(element,),
    )  # fmt: skip
    workflow = ChangeWorkflow.objects.create(
        account=zone.account, step=step, origin="dashboard", actor="customer:x", request_digest="",
        plan=change.to_json(),
        request={"on_session": True, "wants": [{"object_kind": "zone", "object_id": zone.pk, "plan_name": "pro",
            "interval_name": "monthly", "components": {}}]},
        client_secret="pi_1_secret_2", requested_at=SINCE, next_at=SINCE, expires_at=SINCE + timedelta(hours=23),
    )  # fmt: skip
    Ope.objects.filter(pk=ope.pk).update(workflow=workflow)
    return workflow


PATHS = [
    ("user.tokens.verify", "/user/tokens/verify"),
    ("accounts.list", "/accounts"),
    ("accounts.get", "/accounts/{account}"),
    ("zones.list", "/zones"),
    ("zones.get", "/zones/{zone}"),
    ("zones.subscriptions.get", "/zones/{zone}/subscription"),
    ("accounts.subscriptions.get", "/zones/{zone}/subscriptions"),
    ("accounts.subscriptions.get", "/accounts/{account}/subscriptions"),
    ("accounts.subscriptions.get_by_identifier", "/accounts/{account}/subscriptions/{subscription}"),
    ("zones.plans.list", "/zones/{zone}/available_plans"),
    ("zones.plans.get", "/zones/{zone}/available_plans/pro"),
    ("zones.rate_plans.get", "/zones/{zone}/available_rate_plans"),
    ("zones.entitlements.list", "/zones/{zone}/entitlements"),
    ("accounts.entitlements.list", "/accounts/{account}/entitlements"),
    ("billing.rate_plans.get", "/billing/rate_plans/CF_PRO"),
    ("user.subscriptions.get", "/user/subscriptions"),
    ("memberships.list", "/memberships"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("situation", [None, own, wait])
def test_answers_are_what_the_contract_says(api, account, zone, method, path, situation):
    if situation:
        situation(zone)
    for feature, allocation, value, zone_id in [
        ("rules.page_rules", "max_count", 3, zone.pk),
        ("zone.plan", "string", "free", zone.pk),
        ("waf.custom_rules", "max_count", 5, ""),
    ]:
        Entitlement.objects.create(
            account=account, zone_id=zone_id, feature=feature, allocation=allocation, value=value, basis="free",
            source_ope_id=plan_of(zone).pk, valid_from=SINCE, version=1, changed_at=SINCE,
        )  # fmt: skip
    path = path.format(account=account.pk, zone=zone.pk, subscription=plan_of(zone).subscription_id)

    response = api.get(path)

    body = response.json()
    assert response.status_code == 200
    assert (body["success"], body["errors"], body["messages"]) == (True, [], [])
    assert body["result"]
    assert deviations(method, body["result"]) == []
    assert ("result_info" in body) == isinstance(body["result"], list)


def test_the_checker_finds_what_is_wrong():
    right = {"id": "a", "price": 25.0, "state": "Paid", "current_period_end": "2026-01-01T00:00:00Z"}
    wrong = {"id": 1, "price": "25", "state": "paid", "current_period_end": "2026-01-01", "extra": 1}

    assert deviations("zones.subscriptions.get", right) == []
    assert len(deviations("zones.subscriptions.get", wrong)) == 5
    assert deviations("accounts.get", {"id": "a", "name": "b"}) == ["result.type: is missing"]
    assert deviations("billing.rate_plans.get", {"components": [{"name": "a"}]}) == []
    assert len(deviations("billing.rate_plans.get", {"components": ["a"]})) == 1
    assert set(METHODS) == {method for method, _ in PATHS} | CHANGING


# Held against the contract where they are called.
CHANGING = {
    "accounts.client_secret.create",
    "accounts.pay_bad_debt.create",
    "accounts.pay_invoice.create",
    "accounts.payment_methods.create",
    "accounts.payment_methods.delete",
    "accounts.payment_methods.get",
    "accounts.payment_methods.list",
    "accounts.payment_methods.set_as_default",
    "accounts.payment_methods.update",
    "accounts.create",
    "accounts.delete",
    "accounts.subscriptions.bulk.create",
    "accounts.subscriptions.cancel_downgrade",
    "accounts.subscriptions.cancel_reason.create",
    "accounts.subscriptions.cancel_reason.get",
    "accounts.subscriptions.create",
    "accounts.subscriptions.delete",
    "accounts.subscriptions.update",
    "accounts.update",
    "billing.bad_debt.get",
    "billing.credits.get",
    "billing.history.list",
    "billing.unpaid_invoice.get",
    "memberships.delete",
    "memberships.get",
    "memberships.update",
    "user.billing.history.list",
    "user.subscriptions.delete",
    "user.subscriptions.update",
    "zones.subscriptions.create",
    "zones.subscriptions.update",
}


def test_a_free_zone_is_provisioned(api, zone):
    result = api.get(f"/zones/{zone.pk}/subscription").json()["result"]

    assert result == {
        "id": plan_of(zone).subscription_id,
        "state": "Provisioned",
        "price": 0.0,
        "currency": "USD",
        "frequency": "monthly",
        "rate_plan": {
            "id": "free",
            "public_name": "Free Plan",
            "currency": "USD",
            "scope": "zone",
            "sets": [],
            "is_contract": False,
            "externally_managed": False,
        },
        "component_values": [
            {"name": "zones", "value": 1, "default": 1, "price": 0.0},
            {"name": "page_rules", "value": 3, "default": 3, "price": 0.0},
            {"name": "dedicated_certificates", "value": 0, "default": 0, "price": 0.0},
            {"name": "dedicated_certificates_custom", "value": 0, "default": 0, "price": 0.0},
        ],
        "current_period_start": "2026-01-15T12:00:00Z",
        "current_period_end": None,
        "workflow_id": None,
        "client_secret": None,
        "scheduled_change": None,
        "zone": {"id": zone.pk, "name": zone.name},
    }


SECOND = timedelta(seconds=1)
MONTH = PRO.ends_at - PRO.starts_at
BILLED = [
    # the invoice                                                                           state
    ({},                                                                                    "Paid"),
    ({"status": "open"},                                                                    "Expired"),
    ({"status": "uncollectible"},                                                           "Expired"),
    ({"status": "void"},                                                                    "Expired"),
    ({"price_id": "business_month_v1"},                                                     "Expired"),
    ({"period_start": PRO.starts_at - MONTH, "period_end": PRO.starts_at},                  "Expired"),
    ({"period_start": PRO.starts_at - MONTH, "period_end": PRO.starts_at + SECOND},         "Paid"),
    ({"period_start": PRO.ends_at, "period_end": PRO.ends_at + MONTH},                      "Expired"),
    ({"period_start": PRO.ends_at - SECOND, "period_end": PRO.ends_at + MONTH},             "Paid"),
]  # fmt: skip


@pytest.mark.parametrize(("billed", "state"), BILLED)
def test_paid_is_shown_only_for_a_phase_that_a_paid_invoice_bills(api, zone, billed, state):
    own(zone)
    invoice(zone, **billed)

    result = api.get(f"/zones/{zone.pk}/subscription").json()["result"]

    assert (result["state"], result["rate_plan"]["id"], result["price"]) == (state, "pro", 25.0)
    assert result["current_period_end"] == "2026-02-15T12:00:00Z"


LICENCES = [
    ("USER:free",         "Provisioned"),
    ("USER:trial",        "Trial"),
    ("ADMIN:goodwill",    "Provisioned"),
    ("CONTRACT:CONTRACT", "Provisioned"),
    ("PENDING:PENDING",   "AwaitingPayment"),
    ("sub_1:si_1",        "Expired"),
]  # fmt: skip


@pytest.mark.parametrize(("license_source", "state"), LICENCES)
def test_the_state_of_what_no_invoice_bills(api, zone, license_source, state):
    own(zone, license_source=license_source)

    assert api.get(f"/zones/{zone.pk}/subscription").json()["result"]["state"] == state


STEPS = [
    ("planned",          "AwaitingPayment", "pro"),
    ("paying",           "AwaitingPayment", "pro"),
    ("awaiting_payment", "AwaitingPayment", "pro"),
    ("stopping",         "Provisioned",     "free"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "state", "plan"), STEPS)
def test_a_change_that_waits_shows_the_plan_that_is_wanted(api, zone, step, state, plan):
    workflow = wait(zone, step=step)

    result = api.get(f"/zones/{zone.pk}/subscription").json()["result"]

    assert (result["state"], result["rate_plan"]["id"]) == (state, plan)
    waits = state == "AwaitingPayment"
    assert (result["workflow_id"], result["client_secret"]) == (
        (workflow.pk, "pi_1_secret_2") if waits else (None, None)
    )
    assert result["id"] == plan_of(zone).subscription_id


@pytest.mark.parametrize(
    ("role", "sees_it"),
    [(Role.SUPER_ADMINISTRATOR, True), (Role.ADMINISTRATOR, True), (Role.BILLING, True), (Role.READ_ONLY, False)],
)
def test_only_who_may_act_on_a_payment_sees_its_secret(account, zone, role, sees_it):
    workflow = wait(zone)
    api = Api(token_for(account, role=role))

    secrets = [
        api.get(path).json()["result"]["client_secret"]
        for path in (f"/zones/{zone.pk}/subscription", f"/accounts/{account.pk}/workflows/{workflow.pk}")
    ]

    assert secrets == [("pi_1_secret_2" if sees_it else None)] * 2


def test_a_workflow_can_be_polled(api, account, zone):
    workflow = wait(zone)

    result = api.get(f"/accounts/{account.pk}/workflows/{workflow.pk.upper()}").json()["result"]

    assert result == {
        "id": workflow.pk,
        "state": "waiting",
        "changes": [
            {"object": {"type": "zone", "id": zone.pk}, "rate_plan": {"id": "pro"}, "frequency": "monthly"},
        ],
        "created_on": "2026-01-15T12:00:00Z",
        "expires_on": "2026-01-16T11:00:00Z",
        "finished_on": None,
        "client_secret": "pi_1_secret_2",
        "refusal": None,
    }


def test_bought_components_are_counted_and_priced(api, account, zone):
    own(zone)
    more = phase_of("pro", value=25, rank=25, price_id="page_rules_month_v1", unit_amount_minor=100, billed_quantity=5)
    OpeFactory.create(
        zone=zone, phase=more, product="page_rules", kind="sum", subscription_id=plan_of(zone).subscription_id,
        license_source_id="sub_1:si_2",
    )  # fmt: skip

    (result,) = api.get(f"/accounts/{account.pk}/subscriptions").json()["result"]

    assert result["price"] == 30.0
    assert result["component_values"][1] == {"name": "page_rules", "value": 25, "default": 20, "price": 5.0}


def test_an_ended_subscription_is_found_by_its_id_alone(api, account, zone):
    ended = plan_of(zone)
    Ope.objects.filter(pk=ended.pk).update(deleted_date=SINCE)
    OpeFactory.create(zone=zone)

    result = api.get(f"/accounts/{account.pk}/subscriptions/{ended.subscription_id.upper()}").json()["result"]

    assert (result["id"], result["state"]) == (ended.subscription_id, "Cancelled")
    assert len(api.get(f"/accounts/{account.pk}/subscriptions").json()["result"]) == 1
    assert api.get(f"/accounts/{account.pk}/subscriptions/{new_id()}").status_code == 404


def test_available_plans_say_what_is_held_and_what_can_be_bought(api, zone):
    own(zone, phase=phase_of("pro", interval="year", unit_amount_minor=24000, price_id="pro_year_v1"))

    plans = api.get(f"/zones/{zone.pk}/available_plans").json()["result"]

    shown = [(p["id"], p["price"], p["frequency"], p["is_subscribed"], p["can_subscribe"]) for p in plans]
    assert shown == [
        ("free", 0.0, "monthly", False, True),
        ("pro", 240.0, "yearly", True, False),
        ("business", 250.0, "monthly", False, True),
        ("enterprise", None, None, False, False),
    ]


@pytest.mark.parametrize(
    ("name", "status"), [("pro", 200), ("PRO", 200), ("cf_pro_20_20", 200), ("argo_zone_basic", 404), ("nope", 404)]
)
def test_a_plan_is_found_by_any_of_its_names(api, zone, name, status):
    response = api.get(f"/zones/{zone.pk}/available_plans/{name}")

    assert response.status_code == status
    assert status == 404 or response.json()["result"]["id"] == "pro"


def test_rate_plans_come_once_per_frequency_with_what_a_component_costs(api, zone):
    result = api.get(f"/zones/{zone.pk}/available_rate_plans").json()["result"]

    plans = {(plan["id"], plan["frequency"]): plan for plan in result}
    assert len(plans) == len(result)
    assert [name for name, _ in plans][:5] == ["free", "pro", "pro", "business", "business"]
    assert "enterprise" not in {name for name, _ in plans}
    prices = [
        {each["name"]: each["unit_price"] for each in plans["pro", frequency]["components"]}["page_rules"]
        for frequency in ("monthly", "yearly")
    ]
    assert prices == [1.0, 12.0]


def test_a_zone_has_what_its_account_has_and_its_own_comes_first(api, account, zone):
    for zone_id, value in (("", 5), (zone.pk, 20)):
        Entitlement.objects.create(
            account=account, zone_id=zone_id, feature="waf.custom_rules", allocation="max_count", value=value,
            basis="paid", source_ope_id=new_id(), valid_from=SINCE, version=1, changed_at=SINCE,
        )  # fmt: skip
    Entitlement.objects.create(
        account=account, zone_id="", feature="rules.page_rules", allocation="max_count", value=3, basis="free",
        source_ope_id=new_id(), valid_from=SINCE, version=1, changed_at=SINCE,
    )  # fmt: skip

    of_zone = api.get(f"/zones/{zone.pk}/entitlements").json()["result"]
    of_account = api.get(f"/accounts/{account.pk}/entitlements").json()["result"]

    def shown(entries):
        return [(entry["feature"]["key"], entry["allocation"]["value"]) for entry in entries]

    assert shown(of_zone) == [("rules.page_rules", 3), ("waf.custom_rules", 20)]
    assert shown(of_account) == [("rules.page_rules", 3), ("waf.custom_rules", 5)]
    assert of_zone[0]["feature"]["feature_set"] == "rules"
    assert of_zone[0]["deleted_date"] == ""


PAGES = [
    # query                      page  per_page  count  status
    ("",                            1,  20,        3,  200),
    ("?page=1&per_page=2",          1,   2,        2,  200),
    ("?page=2&per_page=2",          2,   2,        1,  200),
    ("?page=3&per_page=2",          3,   2,        0,  200),
    ("?page=999999999",      10000000,  20,        0,  200),
    ("?per_page=50",                1,  50,        3,  200),
    ("?per_page=51",                1,  50,        3,  200),
    ("?page=0",                  None, None,    None,  400),
    ("?page=-1",                 None, None,    None,  400),
    ("?page=1.5",                None, None,    None,  400),
    ("?page=two",                None, None,    None,  400),
    ("?page=٢",                  None, None,    None,  400),
    ("?page=9999999999",         None, None,    None,  400),
    ("?per_page=0",              None, None,    None,  400),
    ("?order=status",            None, None,    None,  400),
    ("?direction=up",            None, None,    None,  400),
    ("?name=%00",                None, None,    None,  400),
    ("?%00=a",                   None, None,    None,  400),
]  # fmt: skip


@pytest.mark.parametrize(("query", "page", "per_page", "count", "status"), PAGES)
def test_pages(api, account, query, page, per_page, count, status):
    for _ in range(3):
        free_zone(account)

    response = api.get(f"/zones{query}")

    assert response.status_code == status
    if status == 400:
        assert response.json()["errors"][0]["code"] == 1003
        return
    total_pages = -(-3 // per_page)
    info = {"page": page, "per_page": per_page, "count": count, "total_count": 3, "total_pages": total_pages}
    assert response.json()["result_info"] == info
    assert len(response.json()["result"]) == count


FILTERS = [
    ("name=b.example.com",                                  ["b.example.com"]),
    ("name=nope",                                           []),
    ("account.name=Fixture Ltd",                            ["a.example.com", "b.example.com"]),
    ("name=b.example.com&account.name=nope",                []),
    ("name=b.example.com&account.name=nope&match=any",      ["b.example.com"]),
    ("direction=desc",                                      ["b.example.com", "a.example.com"]),
    ("status=active",                                       ["a.example.com", "b.example.com"]),
    ("status=pending",                                      []),
]  # fmt: skip


@pytest.mark.parametrize(("query", "names"), FILTERS)
def test_zones_can_be_found(api, account, query, names):
    for name in ("a.example.com", "b.example.com"):
        free_zone(account, name=name)

    assert [zone["name"] for zone in api.get(f"/zones?{query}").json()["result"]] == names


LISTS = [
    ("/accounts", 3),
    ("/zones?per_page=50", 5),
    ("/accounts/{account}/subscriptions", 5),
    ("/zones/{zone}/subscriptions", 5),
    ("/zones/{zone}/subscription", 5),
    ("/zones/{zone}/available_plans", 4),
    ("/zones/{zone}/available_rate_plans", 3),
    ("/zones/{zone}/entitlements", 4),
    ("/user/subscriptions", 5),
    ("/accounts/{account}/billing/history", 7),
    ("/memberships", 3),
]


@pytest.mark.parametrize(("path", "budget"), LISTS)
def test_lists_take_a_fixed_number_of_statements(api, account, zone, path, budget):
    api.get(f"/zones/{zone.pk}/available_plans")
    counts = []
    for more_zones in (0, 30):
        for _ in range(more_zones):
            wait(free_zone(account))
        with count_statements() as statements:
            api.get(path.format(account=account.pk, zone=zone.pk))
        counts.append(len(statements))

    assert counts[0] == counts[1] <= budget
