"""What is wrong with a request is said in the envelope, with a permanent integer, and nothing is stored."""

import json

import pytest
from django.db import OperationalError

from accounts.lock import AccountBusy
from accounts.models import JournalEntry
from billing.changes_calculator.request import (
    ChangeRefused,
    PaymentDeclined,
    PaymentUnavailable,
    Refusal,
)
from billing.changes_calculator.validate import RULES
from billing.models.changes import ChangeWorkflow
from billing.payments import declines
from config.api_errors import ERRORS, handle, reasons_of
from tests.api.conftest import Api, codes
from tests.factories import clear, free_zone, owing, token_for
from tests.parts import ROOT

pytestmark = pytest.mark.usefixtures("on_sale")

PRO = {"rate_plan": {"id": "pro"}, "frequency": "monthly"}


def pro_with(*components):
    return PRO | {"component_values": list(components)}


@pytest.fixture
def account(on_sale):
    return clear()


@pytest.fixture
def buy(account):
    zone = free_zone(account)
    api = Api(token_for(account))

    def post(data, content_type="application/json"):
        return api.call("POST", f"/zones/{zone.pk}/subscription", data=data, content_type=content_type)

    return post


def stored(account):
    return ChangeWorkflow.objects.filter(account=account).count(), JournalEntry.objects.filter(account=account).count()


BODIES = [
    # body                                              code   field that is named
    ({},                                                1001, "/rate_plan"),
    ([],                                                1001, None),
    (None,                                              1001, None),
    ("pro",                                             1001, None),
    (7,                                                 1001, None),
    ({"rate_plan": None},                               1001, "/rate_plan"),
    ({"rate_plan": "pro"},                              1001, "/rate_plan"),
    ({"rate_plan": ["pro"]},                            1001, "/rate_plan"),
    ({"rate_plan": {}},                                 1001, "/rate_plan/id"),
    ({"rate_plan": {"id": None}},                       1001, "/rate_plan/id"),
    ({"rate_plan": {"id": 1}},                          1001, "/rate_plan/id"),
    ({"rate_plan": {"id": True}},                       1001, "/rate_plan/id"),
    ({"rate_plan": {"id": ""}},                         1001, "/rate_plan/id"),
    ({"rate_plan": {"id": ["pro"]}},                    1001, "/rate_plan/id"),
    ({"rate_plan": {"id": "pro\x00"}},                  1001, "/rate_plan/id"),
    (PRO | {"frequency": 1},                            1001, "/frequency"),
    (PRO | {"frequency": ["monthly"]},                  1001, "/frequency"),
    (PRO | {"frequency": ""},                           1001, "/frequency"),
    (PRO | {"component_values": "page_rules"},          1001, "/component_values"),
    (PRO | {"component_values": {"page_rules": 21}},    1001, "/component_values"),
    (pro_with("page_rules"),                            1001, "/component_values/0"),
    (pro_with(None),                                    1001, "/component_values/0"),
    (pro_with(["page_rules", 21]),                      1001, "/component_values/0"),
    (pro_with({"name": "page_rules"}),                  1001, "/component_values/0/value"),
    (pro_with({"value": 21}),                           1001, "/component_values/0/name"),
    (pro_with({"name": 1, "value": 21}),                1001, "/component_values/0/name"),
    (pro_with({"name": "page_rules", "value": "21"}),   1001, "/component_values/0/value"),
    (pro_with({"name": "page_rules", "value": 21.0}),   1001, "/component_values/0/value"),
    (pro_with({"name": "page_rules", "value": True}),   1001, "/component_values/0/value"),
    (pro_with({"name": "page_rules", "value": None}),   1001, "/component_values/0/value"),
    (pro_with({"name": "zones", "value": 1}, {"name": "page_rules", "value": "21"}), 1001, "/component_values/1/value"),
    ({"rate_plan": {"id": "nope"}},                     1303, None),
    ({"rate_plan": {"id": "\ud800"}},                   1001, "/rate_plan/id"),
    ({"rate_plan": {"id": "x" * 100_000}},              1303, None),
    ({"rate_plan": {"id": "workers_paid"}},             1304, None),
    ({"rate_plan": {"id": "argo_zone_basic"}},          1207, None),
    ({"rate_plan": {"id": "enterprise"}},               1302, None),
    (PRO | {"frequency": "weekly"},                     1310, None),
    (pro_with({"name": "page_rules", "value": -1}),     1309, None),
    (pro_with({"name": "page_rules", "value": 0}),      1309, None),
    (pro_with({"name": "page_rules", "value": 10**30}), 1309, None),
    (pro_with({"name": "nope", "value": 1}),            1309, None),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "pointer"), BODIES)
def test_a_body_that_makes_no_sense(account, buy, body, code, pointer):
    before = stored(account)

    response = buy(json.dumps(body))

    assert response.status_code == 400
    assert codes(response)[0] == code
    assert response.json()["errors"][0].get("source", {}).get("pointer") == pointer
    assert response["X-Should-Retry"] == "false"
    assert stored(account) == before


RAW = [
    # what is sent                                   content type                     status  code
    (b"",                                            "application/json",                 400, 1001),
    (b"{",                                           "application/json",                 400, 1001),
    (b"rate_plan=pro",                               "application/x-www-form-urlencoded", 400, 1001),
    (json.dumps(PRO).encode(),                       "text/plain",                       400, 1001),
    (json.dumps(PRO).encode(),                       "",                                 400, 1001),
    (json.dumps(PRO).encode(),                       "multipart/form-data; boundary=x",  400, 1001),
    (b"\xff\xfe",                                    "application/json",                 400, 1001),
    (b'{"rate_plan": {"id": NaN}}',                  "application/json",                 400, 1001),
    (b"[" * 200_000,                                 "application/json",                 400, 1001),
    (b"1" * 10_000,                                  "application/json",                 400, 1001),
    (b'"' + b"x" * (1024 * 1024 - 2) + b'"',         "application/json",                 400, 1001),
    (b'"' + b"x" * (1024 * 1024 - 1) + b'"',         "application/json",                 413, 1002),
    (b"x" * (10 * 1024 * 1024),                      "application/json",                 413, 1002),
    (b"x" * (10 * 1024 * 1024),                      "text/plain",                       413, 1002),
]  # fmt: skip


@pytest.mark.parametrize(("data", "content_type", "status", "code"), RAW)
def test_what_is_not_a_body_we_read(account, buy, data, content_type, status, code):
    before = stored(account)

    response = buy(data, content_type)

    assert (response.status_code, codes(response)) == (status, [code])
    assert stored(account) == before


def test_every_reason_is_listed_and_the_first_decides(on_sale):
    account = owing()
    zone = free_zone(account)

    response = Api(token_for(account)).post(
        f"/zones/{zone.pk}/subscription",
        pro_with({"name": "page_rules", "value": 1}) | {"frequency": "weekly"},
    )

    assert (response.status_code, codes(response)) == (400, [1301, 1309, 1310])
    assert response.json()["errors"][0]["documentation_url"].endswith("#outstanding_balance")


def test_a_body_of_unknown_length_is_not_read(account):
    zone = free_zone(account)
    api = Api(token_for(account))
    api.headers["Transfer-Encoding"] = "chunked"

    response = api.post(f"/zones/{zone.pk}/subscription", PRO)

    assert (response.status_code, codes(response)) == (400, [1001])
    assert "Content-Length" in response.json()["errors"][0]["message"]


def test_no_answer_is_kept_on_the_way(account):
    assert Api(token_for(account)).get("/accounts")["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html", "application/pdf", "nonsense"])
def test_the_answer_is_json_whatever_is_accepted(account, accept):
    api = Api(token_for(account))
    api.headers["Accept"] = accept

    response = api.get("/accounts?format=xml")

    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


ERRORS_THAT_ARE_RAISED = [
    # exception                                                         status  code  retry after  should retry
    (ChangeRefused(Refusal("unknown_plan", "no")),                         400, 1303, None, "false"),
    (PaymentDeclined("payment_declined", "no", workflow_id=""),            402, 1400, None, "false"),
    (PaymentDeclined("authentication_required", "no", workflow_id=""),     402, 1401, None, "false"),
    (PaymentUnavailable("wait"),                                           503, 1501, "5", None),
    (AccountBusy("wait"),                                                  429, 1500, "1", None),
    (OperationalError("the connection is lost: secret host name"),         503, 1502, "2", None),
]  # fmt: skip


@pytest.mark.parametrize(("error", "status", "code", "retry_after", "should_retry"), ERRORS_THAT_ARE_RAISED)
def test_a_refusal_in_http(rf, error, status, code, retry_after, should_retry):
    response = handle(error, {"request": rf.get("/client/v4/zones")})

    assert (response.status_code, response.data["errors"][0]["code"]) == (status, code)
    assert (response.get("Retry-After"), response.get("X-Should-Retry")) == (retry_after, should_retry)
    assert "secret" not in str(response.data)


def test_a_bug_is_500_without_its_details(account):
    api = Api(token_for(account))
    api.client.raise_request_exception = False
    zone = free_zone(account)
    zone.account.opes.update(value_phases=[{"rank": 0}])

    response = api.get(f"/zones/{zone.pk}/subscription")

    assert (response.status_code, codes(response)) == (500, [1503])
    assert "KeyError" not in response.content.decode()
    assert response["X-Request-Id"]


def test_every_refusal_of_the_pipeline_has_a_code_that_is_its_own():
    codes_of = {name: error.code for name, error in ERRORS.items()}

    assert {rule.code for rule in RULES} <= codes_of.keys()
    assert {d.code for d in vars(declines).values() if isinstance(d, Refusal)} <= codes_of.keys()
    assert len(set(codes_of.values())) == len(codes_of)


def test_the_codes_are_permanent():
    assert {name: (error.code, error.status) for name, error in ERRORS.items()} == {
        "too_many_requests": (971, 429),
        "invalid_body": (1001, 400),
        "body_too_large": (1002, 413),
        "invalid_query": (1003, 400),
        "key_reused": (1004, 400),
        "zone_taken": (1061, 400),
        "last_administrator": (1062, 400),
        "core_plan_required": (1207, 400),
        "no_product_access": (1225, 400),
        "account_banned": (1300, 400),
        "outstanding_balance": (1301, 400),
        "not_self_serve": (1302, 400),
        "unknown_plan": (1303, 400),
        "wrong_object": (1304, 400),
        "previous_owner_debt": (1305, 400),
        "change_scheduled": (1306, 400),
        "change_in_flight": (1307, 400),
        "one_interval_per_cart": (1308, 400),
        "quantity_out_of_range": (1309, 400),
        "frequency_not_offered": (1310, 400),
        "currency_mismatch": (1311, 400),
        "change_not_offered": (1312, 400),
        "subscription_ended": (1313, 400),
        "nothing_scheduled": (1314, 400),
        "too_late_to_take_back": (1315, 400),
        "period_closing": (1317, 400),
        "licence_not_allowed": (1320, 400),
        "invalid_licence": (1321, 400),
        "payment_method_required": (1322, 400),
        "too_many_changes": (1323, 400),
        "account_closed": (1324, 400),
        "zone_has_plan": (1325, 400),
        "too_many_prices": (1328, 400),
        "wanted_twice": (1316, 400),
        "coupon_refused": (1412, 400),
        "payment_declined": (1400, 402),
        "authentication_required": (1401, 402),
        "payment_expired": (1402, 402),
        "processor_refused": (1403, 402),
        "payment_in_flight": (1404, 429),
        "nothing_to_pay": (1405, 400),
        "method_unusable": (1406, 400),
        "card_tried_too_often": (1407, 400),
        "method_needed": (1408, 400),
        "method_is_default": (1409, 400),
        "method_in_use": (1410, 400),
        "unknown_nonce": (1411, 400),
        "change_abandoned": (1420, 402),
        "account_busy": (1500, 429),
        "processor_unavailable": (1501, 503),
        "unavailable": (1502, 503),
        "internal_error": (1503, 500),
        "method_not_allowed": (7001, 405),
        "not_found": (7003, 404),
        "unauthenticated": (10000, 401),
        "forbidden": (10001, 403),
    }


def test_an_error_that_is_nobodys_business_is_not_answered_here():
    assert reasons_of(KeyError("internal")) == []


def test_the_documentation_explains_every_error():
    documented = (ROOT / "docs" / "api.md").read_text().splitlines()

    for name, error in ERRORS.items():
        row = f'| <a id="{name}"></a>`{name}` | {error.code} | {error.status} | {error.remedy} |'
        assert row in documented
