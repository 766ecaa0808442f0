"""What tests of the API share: a client, and the catalogue on sale."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from cloudflare import Cloudflare
from rest_framework.test import APIClient

from accounts.create_account import issue_token
from accounts.models import Account, Person, Zone
from billing.catalog.load import activate, stage_prices
from billing.management.commands.publish_catalog import DEFAULT_FILE
from config import clock
from tests.billing.people import GOOD, customer
from tests.factories import SINCE
from tests.guard import unguarded

PREFIX = "/client/v4"
PRO: dict[str, Any] = {"frequency": "monthly", "rate_plan": {"id": "pro"}}


class Api:
    """The API as one token sees it; without HTTP, so that a bug is a traceback."""

    def __init__(self, token: str | None = None) -> None:
        self.client = APIClient()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def call(self, method: str, path: str, *, prefix: str = PREFIX, **request: Any) -> Any:
        """Return the response to `method` on a path below the prefix."""
        return self.client.generic(method, f"{prefix}{path}", headers=self.headers, **request)

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any, **request: Any) -> Any:
        return self.call("POST", path, data=json.dumps(body), content_type="application/json", **request)


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


@dataclass
class Buyer:
    """A customer with a zone, the SDK, and the raw API beside it."""

    account: Account
    zone: Zone
    sdk: Cloudflare
    raw: httpx.Client

    def buy(self, **wish: Any) -> Any:
        return self.sdk.zones.subscriptions.create(zone_id=self.zone.pk, **(PRO | wish))

    def plan(self) -> Any:
        return self.sdk.zones.subscriptions.get(zone_id=self.zone.pk)

    def workflow(self, workflow_id: str) -> dict[str, Any]:
        answer = self.raw.get(f"/accounts/{self.account.pk}/workflows/{workflow_id}")
        assert answer.status_code == 200
        return answer.json()["result"]


@pytest.fixture
def buyer(live_server_url: str) -> Iterator[Callable[..., Buyer]]:
    """Return who makes customers: `buyer(card)`, over `transport` if the network matters."""
    clients: list[httpx.Client] = []

    def make(card: str | None = GOOD, transport: httpx.BaseTransport | None = None) -> Buyer:
        account, zone = customer(card=card)
        person = Person.objects.get(memberships__account=account)
        token = issue_token(account.pk, person, name="test", actor="system:tests", now=clock.now())
        base_url = f"{live_server_url}{PREFIX}"
        clients.append(httpx.Client(transport=transport))
        clients.append(httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {token}"}))
        sdk = Cloudflare(api_token=token, base_url=base_url, http_client=clients[-2])
        return Buyer(account, zone, sdk, clients[-1])

    yield make
    for client in clients:
        client.close()
