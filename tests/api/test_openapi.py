"""The APIs describe themselves: valid OpenAPI, every route in it, and a page for people that loads nothing from elsewhere."""

import json
import re

import jsonschema
import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

from config.openapi.describe import DASHBOARD_API, INTERNAL_API, describe
from tests.api.conftest import Api
from tests.api.test_authorization import EVERY_ENDPOINT
from tests.factories import clear, free_zone, token_for

BOTH = pytest.mark.parametrize("api", [DASHBOARD_API, INTERNAL_API], ids=lambda api: api.prefix)


@BOTH
def test_a_document_is_valid_openapi(api):
    document = json.loads(Client().get(f"{api.prefix}/schema").content)

    validate_schema(document)
    assert document["openapi"] == "3.1.0"


@BOTH
def test_every_route_is_named(api):
    routes = {
        (method, "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", path))
        for path, _view, method in EVERY_ENDPOINT
        if f"/{path}".startswith(f"{api.prefix}/")
    }

    named = {(method.upper(), path) for path, methods in describe(api)["paths"].items() for method in methods}

    assert named == routes
    assert len(named) >= 3


@BOTH
def test_what_is_said_is_said_of_something_that_exists(api):
    named = {
        (method.upper(), path.removeprefix(api.prefix))
        for path, methods in describe(api)["paths"].items()
        for method in methods
    }

    assert set(api.operations) <= named


@BOTH
def test_an_operation_is_told_apart_explained_guarded_and_shown(api):
    operations = [operation for methods in describe(api)["paths"].values() for operation in methods.values()]

    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        assert "Needs:" in operation["description"]
        assert operation["security"] == [{"token": []}], operation["operationId"]
        for answer in operation["responses"].values():
            content = answer["content"]["application/json"]
            jsonschema.validate(content["example"], content["schema"])


READS = [
    path
    for (method, path) in DASHBOARD_API.operations
    if method == "GET" and not re.search(r"\{(subscription_id|workflow_id|membership_id)\}", path)
]


@pytest.mark.usefixtures("on_sale")
@pytest.mark.parametrize("path", READS)
def test_what_is_answered_is_what_the_document_says(path):
    account = clear()
    zone = free_zone(account)
    real = path.replace("{account_id}", account.pk).replace("{zone_id}", zone.pk).replace("{name}", "pro")

    answer = Api(token_for(account)).get(real)

    assert answer.status_code == 200
    said = describe(DASHBOARD_API)["paths"][f"{DASHBOARD_API.prefix}{path}"]["get"]["responses"]["200"]
    jsonschema.validate(answer.json(), said["content"]["application/json"]["schema"])
    shown = said["content"]["application/json"]["example"]["result"]
    for example, real_thing in zip(
        *(each if isinstance(each, list) else [each] for each in (shown, answer.json()["result"])), strict=False
    ):
        assert set(example) <= set(real_thing), "the example shows what there is not"


def test_people_read_it_without_the_internet():
    page = Client().get("/client/v4/docs")

    text = page.content.decode()
    assert page.status_code == 200
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert not re.search(r"(src|href)=\"(https?:)?//", text), "something is loaded from elsewhere"
    assert "<script" not in text
    assert 'id="post_zones_zone_id_subscription"' in text
    for path, methods in describe(DASHBOARD_API)["paths"].items():
        assert path in text
        assert all(f'id="{operation["operationId"]}"' in text for operation in methods.values())
