"""Schemathesis on both APIs, by their own documents: whatever is sent, nothing breaks inside."""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.roles import Scope
from config.openapi.describe import DASHBOARD_API, INTERNAL_API, describe
from tests.api.conftest import Api
from tests.factories import clear, free_zone, service_token, token_for

EXAMPLES = 5
OPERATIONS = [
    (api, operation.ok())
    for api in (DASHBOARD_API, INTERNAL_API)
    for operation in schemathesis.openapi.from_dict(describe(api)).get_all_operations()
]


def test_every_operation_is_tried():
    assert len(OPERATIONS) == sum(len(methods) for api in (DASHBOARD_API, INTERNAL_API)
                                  for methods in describe(api)["paths"].values())  # fmt: skip


@pytest.mark.usefixtures("on_sale", "sandbox")
@pytest.mark.parametrize(("api", "operation"), OPERATIONS, ids=lambda each: getattr(each, "label", ""))
def test_nothing_that_is_sent_breaks_anything(api, operation):
    account = clear()
    zone = free_zone(account)
    caller = Api(token_for(account) if api is DASHBOARD_API else service_token(*Scope))
    mine = {"account_id": account.pk, "zone_id": zone.pk}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), is_mine=st.booleans())
    def send(case, is_mine):
        path_parameters = dict(case.path_parameters or {}) | (
            {name: value for name, value in mine.items() if name in (case.path_parameters or {})} if is_mine else {}
        )
        path = case.path.format(**{name: str(value) for name, value in path_parameters.items()})
        request = {"query_params": {name: str(value) for name, value in (case.query or {}).items()}}
        if case.method not in ("GET", "HEAD"):
            body = "" if isinstance(case.body, type(schemathesis.core.NOT_SET)) else json.dumps(case.body)
            request |= {"data": body, "content_type": "application/json"}

        answer = caller.call(case.method, path, prefix="", **request)

        assert answer.status_code < 500, answer.content
        assert answer["Content-Type"].startswith("application/json")
        assert set(answer.json()) >= {"success", "errors", "messages", "result"}

    send()
