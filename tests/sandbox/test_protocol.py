"""What holds for every call: who may ask, in which words, what is refused how, lists, expansion, metadata."""

import base64
import http.client
import json
import urllib.error
import urllib.request

import pytest
import stripe

from sandbox.stripe.forms import decode_form
from sandbox.stripe.routes import ROUTES

from .conftest import refused


def raw(sandbox, method, path, *, key="sk_test_x", body=None, **headers):
    """Send a request without the SDK and return (status, headers, decoded body)."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        sent["authorization"] = f"Bearer {key}"
    request = urllib.request.Request(sandbox.server.url + path, body and body.encode(), sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.loads(error.read())


@pytest.mark.parametrize(
    ("key", "status"),
    [("sk_test_anything", 200), ("rk_test_x", 200), ("sk_live_secret_1234", 401), ("pk_test_x", 401), (None, 401)],
)
def test_only_test_keys_are_taken(sandbox, key, status):
    answered, headers, body = raw(sandbox, "GET", "/v1/customers", key=key)

    assert answered == status
    assert headers["request-id"].startswith("req_")
    assert "secret_1234" not in json.dumps(body)


@pytest.mark.parametrize(("version", "status"), [("2026-10-28.endive", 200), ("2020-08-27", 400)])
def test_one_version_is_spoken(sandbox, version, status):
    answered, _, _ = raw(sandbox, "GET", "/v1/customers", stripe_version=version)

    assert answered == status


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_operation_refuses_a_parameter_it_does_not_know(sandbox, route):
    path = route.path.replace("{id}", "unknown_1").replace("{customer}", "cus_unknown")
    said = "no_such_parameter=1"

    url = path if route.method == "POST" else f"{path}?{said}"
    status, _, body = raw(sandbox, route.method, url, body=said if route.method == "POST" else None)

    assert (status, body["error"]["code"], body["error"]["param"]) == (400, "parameter_unknown", "no_such_parameter")


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.path.count("{") == 1 and route.path.endswith("{id}")],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_an_unknown_id_in_the_path_is_404(sandbox, route):
    status, _, body = raw(sandbox, route.method, route.path.replace("{id}", "unknown_1"))

    assert (status, body["error"]["type"]) == (404, "invalid_request_error")
    assert body["error"]["code"] == "resource_missing"


def test_an_unknown_address_is_404_and_names_itself(sandbox):
    status, _, body = raw(sandbox, "GET", "/v1/no_such_thing")

    assert status == 404
    assert "GET: /v1/no_such_thing" in body["error"]["message"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("items[0][price]=x&items[1][price]=y", {"items": [{"price": "x"}, {"price": "y"}]}),
        ("items[][price]=x", {"items": [{"price": "x"}]}),
        ("expand[]=a&expand[]=b", {"expand": ["a", "b"]}),
        ("metadata[12]=x", {"metadata": {"12": "x"}}),
        ("metadata[a b]=%26%3D", {"metadata": {"a b": "&="}}),
        ("metadata=", {"metadata": ""}),
    ],
)
def test_forms_are_decoded(form, said):
    assert decode_form(form) == said


@pytest.mark.parametrize("form", ["a[=1", "a[b=1", "a]b=1&a]b[=2", "a=1&a[b]=2", "a[b]=1&a=2", "[a]=1"])
def test_forms_that_make_no_sense_are_refused(form):
    with pytest.raises(Exception, match="Invalid form key"):
        decode_form(form)


def test_metadata_is_merged_and_unset(v1):
    customer = v1.customers.create({"metadata": {"kept": "1", "changed": "1", "gone": "1"}})

    merged = v1.customers.update(customer.id, {"metadata": {"changed": "2", "gone": ""}})
    emptied = v1.customers.update(customer.id, {"metadata": ""})

    assert merged.metadata.to_dict() == {"kept": "1", "changed": "2"}
    assert emptied.metadata.to_dict() == {}


def test_lists_are_newest_first_with_a_cursor_on_either_side(v1):
    made = [v1.customers.create({"description": str(number)}).id for number in range(7)]

    first = v1.customers.list({"limit": 3})
    second = v1.customers.list({"limit": 3, "starting_after": first.data[-1].id})
    back = v1.customers.list({"limit": 2, "ending_before": second.data[0].id})

    assert [customer.id for customer in first.data] == made[:-4:-1]
    assert [customer.id for customer in second.data] == made[3:0:-1]
    assert (first.has_more, second.has_more) == (True, True)
    assert [customer.id for customer in back.data] == made[5:3:-1]
    assert [customer.id for customer in v1.customers.list({"limit": 3}).auto_paging_iter()] == made[::-1]


@pytest.mark.parametrize(
    "said",
    [
        {"limit": 0},
        {"limit": 101},
        {"starting_after": "cus_unknown"},
        {"starting_after": "cus_a", "ending_before": "cus_b"},
    ],
)
def test_lists_refuse(v1, said):
    refused(stripe.InvalidRequestError, v1.customers.list, said)


@pytest.mark.parametrize(
    ("bound", "found"),
    [({"gte": 0}, 1), ({"gt": 0}, 0), ({"lte": 0}, 1), ({"lt": 0}, 0), ({"gte": -1, "lt": 1}, 1)],
)
def test_lists_by_time_of_creation(shop, bound, found):
    customer = shop.customer()

    listed = shop.v1.customers.list({"created": {name: customer.created + value for name, value in bound.items()}})

    assert len(listed.data) == found


def test_expansion_reaches_into_lists_and_hidden_members(shop):
    subscription = shop.subscribe(shop.customer(), shop.pro)

    paths = ["data.latest_invoice.payments", "data.customer", "data.items.data.price.product"]
    listed = shop.v1.subscriptions.list({"expand": paths}).data[0]

    assert listed.id == subscription.id
    assert listed.customer.object == "customer"
    assert listed.latest_invoice.payments.data[0].status == "paid"
    assert listed["items"].data[0].price.product.name == "Pro"


@pytest.mark.parametrize("path", ["email", "no_such_member", "metadata", "customer.no_such_member", "a.b.c.d.e"])
def test_what_cannot_be_expanded_is_refused_and_nothing_is_done(shop, path):
    customer = shop.customer()

    refused(stripe.InvalidRequestError, shop.subscribe, customer, shop.pro, expand=[path])

    assert shop.v1.subscriptions.list({"customer": customer.id}).data == []


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"unit_amount": "12a"}, "unit_amount"),
        ({"active": "maybe"}, "active"),
        ({"recurring": "month"}, "recurring"),
        ({"recurring": {"interval": "moon"}}, "recurring[interval]"),
        ({"recurring": {}}, "unit_amount"),
        ({"metadata": {"a" * 41: "x"}}, f"metadata[{'a' * 41}]"),
    ],
)
def test_values_of_the_wrong_type_are_refused_by_name(v1, said, param):
    product = v1.products.create({"name": "Pro"})

    error = refused(stripe.InvalidRequestError, v1.prices.create, {"product": product.id, "currency": "usd", **said})

    assert error.param == param


def test_a_bug_inside_is_a_500_that_changes_nothing(sandbox, monkeypatch):
    def breaks(*_args, **_kwargs):
        sandbox.world.add({"id": "cus_half", "object": "customer"})
        raise ZeroDivisionError

    monkeypatch.setattr("sandbox.stripe.api.expanded", breaks)

    status, _, body = raw(sandbox, "POST", "/v1/customers")

    assert (status, body["error"]["type"]) == (500, "api_error")
    assert not sandbox.world.documents.spaces.get("customer")


def test_a_key_may_come_as_a_user_name(sandbox):
    good, bad = base64.b64encode(b"sk_test_x:").decode(), "not base64"

    statuses = [
        raw(sandbox, "GET", "/v1/customers", key=None, authorization=f"Basic {said}")[0] for said in (good, bad)
    ]

    assert statuses == [200, 401]


def test_a_body_beyond_measure_is_refused(sandbox):
    connection = http.client.HTTPConnection(*sandbox.server.server_address[:2], timeout=5)
    connection.putrequest("POST", "/v1/customers")
    connection.putheader("content-length", str(1024**3))
    connection.endheaders()

    assert connection.getresponse().status == 413


def test_hidden_members_of_a_customer_and_a_charge(shop):
    customer = shop.customer()
    subscription = shop.subscribe(customer, shop.pro)
    ended = shop.subscribe(customer, shop.pro)
    shop.v1.subscriptions.cancel(ended.id)

    shown = shop.v1.customers.retrieve(customer.id, {"expand": ["subscriptions", "sources"]})

    assert [found.id for found in shown.subscriptions.data] == [subscription.id]
    assert shown.sources.data == []
    assert "subscriptions" not in shop.v1.customers.retrieve(customer.id)
