"""What tests of the API share: a client, and the catalogue on sale."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from billing.catalog.load import activate, stage_prices
from billing.management.commands.publish_catalog import DEFAULT_FILE
from tests.factories import SINCE
from tests.guard import unguarded

PREFIX = "/client/v4"


class Api:
    """The API as one token sees it; without HTTP, so that a bug is a traceback."""

    def __init__(self, token: str | None = None) -> None:
        self.client = APIClient()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, method: str, path: str, **request: Any) -> Any:
        """Return the response to `method` on a path below the prefix."""
        return self.client.generic(method, f"{PREFIX}{path}", headers=self.headers, **request)

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self.call("POST", path, data=json.dumps(body), content_type="application/json")


@pytest.fixture
def on_sale(db: None) -> Iterator[None]:
    """
    The project's catalogue, in the tables of this test alone; Stripe knows nothing of it.

    Such a test makes its world by writing rows, and asks the API about it: no row needs a journal entry.
    """
    catalog = json.loads(DEFAULT_FILE.read_text())
    activate(catalog, stage_prices(catalog, actor="system:tests", now=SINCE), actor="system:tests", now=SINCE)
    with unguarded():
        yield


def codes(response: Any) -> list[int]:
    """Return the integer codes of a refusal, after checking its envelope."""
    body = response.json()
    assert set(body) == {"success", "errors", "messages", "result"}
    assert (body["success"], body["messages"], body["result"]) == (False, [], None)
    for error in body["errors"]:
        assert set(error) - {"source"} == {"code", "message", "documentation_url"}
        assert error["message"]
        assert "Traceback" not in error["message"]
    return [error["code"] for error in body["errors"]]
