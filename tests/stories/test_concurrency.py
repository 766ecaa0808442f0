"""Many at once: the same wish is one change, two wishes are one and a refusal, and news and workers meet only once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cloudflare
import httpx
import pytest
from cloudflare import Cloudflare
from django.db import connections

from accounts.models import JournalEntry
from billing.changes_calculator.resume import resume_due
from billing.changes_calculator.submit import submit
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import Invoice
from billing.payments.methods import store_test_card
from config import clock
from tests.api.conftest import buyer
from tests.billing.people import NEEDS_3DS, customer, wish
from tests.crash_points import settle
from tests.invariants import assert_hold
from webhooks.forwarding import forward_due
from webhooks.models import StripeEvent

pytestmark = pytest.mark.usefixtures("catalog")

__all__ = ["buyer"]  # a fixture

CLIENTS = 20
BUSINESS = {"frequency": "monthly", "rate_plan": {"id": "business"}}
MORE_RULES = {"frequency": "monthly", "rate_plan": {"id": "pro"}, "extra_body": {"component_values": [{"name": "page_rules", "value": 30}]}}  # fmt: skip


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Begin all acts at the same moment, each in a thread of its own, and return what each returned or raised."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        start.wait()
        try:
            return act()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def counting(sdk: Cloudflare) -> tuple[Cloudflare, list[int]]:
    """Return the same client with its retries, and the statuses of the answers that it is going to get."""
    statuses: list[int] = []
    http = httpx.Client(event_hooks={"response": [lambda response: statuses.append(response.status_code)]})
    return sdk.with_options(http_client=http), statuses


def test_twenty_clients_that_ask_the_same_make_one_change(buyer, sandbox):
    owner = buyer()
    owner.buy()
    client = owner.sdk.with_options(max_retries=20)

    answers = at_once(*[lambda: client.zones.subscriptions.update(zone_id=owner.zone.pk, **BUSINESS)] * CLIENTS)
    settle()

    assert [answer.to_dict() for answer in answers] == [owner.plan().to_dict()] * CLIENTS
    assert owner.plan().rate_plan.id == "business"
    (change,) = ChangeWorkflow.objects.filter(account=owner.account).order_by("requested_at")[1:]
    assert Invoice.objects.filter(account=owner.account, reason="change", status="paid").count() == 1
    assert JournalEntry.objects.filter(account=owner.account, kind="change.committed", cause=change.pk).count() == 1
    assert_hold(sandbox, owner.account)


def test_of_two_different_changes_one_wins_and_the_sdk_does_not_repeat_the_other(buyer, sandbox):
    owner = buyer()
    owner.buy()
    sandbox.post("/_sandbox/faults", {"kind": "slow", "operation": "Subscription.update", "seconds": 1})
    clients = [counting(owner.sdk) for _ in range(2)]

    answers = at_once(
        *[
            lambda client=client, wanted=wanted: client.zones.subscriptions.update(zone_id=owner.zone.pk, **wanted)
            for (client, _), wanted in zip(clients, (BUSINESS, MORE_RULES), strict=True)
        ]
    )
    settle()

    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert [type(error) for error in refused] == [cloudflare.BadRequestError]
    assert [error["code"] for error in refused[0].body["errors"]] == [1307]  # change_in_flight
    assert [statuses for _, statuses in clients if 400 in statuses] == [[400]]
    assert Invoice.objects.filter(account=owner.account, reason="change").count() == 1
    assert_hold(sandbox, owner.account)


@pytest.mark.parametrize("plan_name", ["pro", "business"])
def test_news_workers_and_the_customer_meet_over_one_confirmation(live_server_url, sandbox, plan_name):
    account, zone = customer()
    if plan_name == "business":
        submit(wish(account, zone))
    store_test_card(account.pk, number=NEEDS_3DS, actor="system:tests", now=clock.now())
    waits = submit(wish(account, zone, plan_name))
    sandbox.post("/_sandbox/authenticate", {"client_secret": waits.client_secret, "outcome": "complete"})
    _arrived(account, "invoice.paid")
    now = clock.now()

    at_once(
        lambda: forward_due(now=now),
        lambda: resume_due(now=now.replace(year=now.year + 1)),
        lambda: forward_due(now=now),
        lambda: submit(wish(account, zone, plan_name)),
    )
    settle(later=clock.now() - now)

    entries = JournalEntry.objects.filter(account=account, kind="change.committed", cause=waits.workflow_id)
    assert entries.count() == 1
    assert_hold(sandbox, account)


def test_two_workers_take_each_event_once(live_server_url, sandbox):
    account, zone = customer()
    submit(wish(account, zone))
    _arrived(account, "invoice.paid")
    now = clock.now()

    taken = at_once(*[lambda: forward_due(now=now)] * 4)
    settle()

    events = StripeEvent.objects.filter(payload__data__object__customer=account.customer.stripe_customer_id)
    assert sum(taken) >= events.count() > 0
    told = JournalEntry.objects.filter(kind="stripe.event_processed", cause__in=[f"stripe:{e.pk}" for e in events])
    assert told.count() == events.count()
    assert_hold(sandbox, account)


def _arrived(account, event_type):
    """Wait until the sandbox has delivered this event of a customer's."""
    account.refresh_from_db()
    give_up_at = time.monotonic() + 20
    customer_id = account.customer.stripe_customer_id
    while not StripeEvent.objects.filter(type=event_type, payload__data__object__customer=customer_id).exists():
        assert time.monotonic() < give_up_at, f"{event_type} did not arrive"
