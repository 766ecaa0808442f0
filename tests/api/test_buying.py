"""Buying with the official SDK, unchanged, over HTTP: what a customer's own scripts would see."""

import time
from concurrent.futures import ThreadPoolExecutor

import cloudflare
import httpx
import pytest

from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.invoices import BillingSchedule, Invoice, PaymentAttempt
from billing.tasks import deliver_journal, resume_workflows
from entitlements.models import Entitlement
from tests.api.conftest import PRO
from tests.api.contract import deviations
from tests.billing.people import DECLINED, GOOD, NEEDS_3DS
from webhooks.tasks import forward

pytestmark = pytest.mark.usefixtures("catalog")

PATIENCE_SECONDS = 30


def work_until(is_done):
    """Do what the worker does, again and again, until it has come to this."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_done():
        assert time.monotonic() < give_up_at, "it did not come to this in time"
        forward()
        resume_workflows()
        deliver_journal()


def test_buying_pro_with_a_stored_card_is_paid_at_once(buyer):
    customer = buyer()

    bought = customer.buy()

    assert (bought.state, bought.rate_plan.id, bought.price, bought.currency) == ("Paid", "pro", 25.0, "USD")
    assert (bought.frequency, bought.workflow_id, bought.client_secret) == ("monthly", None, None)
    assert bought.current_period_end > bought.current_period_start
    assert customer.plan().to_dict() == bought.to_dict()
    assert Entitlement.objects.get(zone_id=customer.zone.pk, feature="rules.page_rules").value == 20


def test_the_sdk_reads_everything_it_knows(buyer):
    customer = buyer()
    customer.buy()
    sdk, zone_id, account_id = customer.sdk, customer.zone.pk, customer.account.pk

    plans = {plan.id: plan for plan in sdk.zones.plans.list(zone_id=zone_id)}
    rate_plans = list(sdk.zones.rate_plans.get(zone_id=zone_id))

    assert sdk.user.tokens.verify().status == "active"
    assert list(plans) == ["free", "pro", "business", "enterprise"]
    assert (plans["pro"].is_subscribed, plans["free"].is_subscribed, plans["pro"].price) == (True, False, 25.0)
    assert sdk.zones.plans.get("business", zone_id=zone_id).can_subscribe is True
    assert {"pro", "business"} <= {plan.id for plan in rate_plans}
    assert [s.state for s in sdk.accounts.subscriptions.get(account_id=account_id)] == ["Paid"]
    assert [s.rate_plan.id for s in sdk.accounts.subscriptions.get(zone_id=zone_id)] == ["pro"]
    assert sdk.accounts.subscriptions.get_by_identifier(customer.plan().id, account_id=account_id).state == "Paid"
    assert [account.id for account in sdk.accounts.list()] == [account_id]
    assert sdk.accounts.get(account_id=account_id).name == customer.account.name
    assert [zone.plan.id for zone in sdk.zones.list(per_page=5)] == ["pro"]
    assert sdk.zones.get(zone_id=zone_id).plan.is_subscribed is True
    features = {entry.feature.key: entry.allocation.value for entry in sdk.zones.entitlements.list(zone_id=zone_id)}
    assert features["rules.page_rules"] == 20
    assert list(sdk.accounts.entitlements.list(account_id=account_id)) == []


@pytest.mark.parametrize(
    ("path", "method"),
    [("subscription", "zones.subscriptions.create"), ("subscriptions", "accounts.subscriptions.create")],
)
def test_both_paths_buy_and_answer_what_the_contract_says(buyer, path, method):
    customer = buyer()

    answers = [customer.raw.post(f"/zones/{customer.zone.pk.upper()}/{path}", json=PRO) for _ in range(2)]

    for answer in answers:
        assert answer.status_code == 200
        assert set(answer.json()) == {"success", "errors", "messages", "result"}
        assert deviations(method, answer.json()["result"]) == []
        assert answer.json()["result"]["state"] == "Paid"
    assert answers[0].json()["result"] == answers[1].json()["result"]
    assert Invoice.objects.filter(account=customer.account).count() == 1


def test_the_other_resource_of_the_sdk_buys_too_with_aliases_and_components(buyer):
    customer = buyer()

    bought = customer.sdk.accounts.subscriptions.create(
        zone_id=customer.zone.pk,
        frequency="Annual",
        rate_plan={"id": "cf_pro_20_20"},
        extra_body={"component_values": [{"name": "page_rules", "value": 25}]},
    )

    assert (bought.state, bought.frequency, bought.price) == ("Paid", "yearly", 240.0 + 5 * 12)
    assert {each["name"]: each["value"] for each in bought.component_values}["page_rules"] == 25


def test_a_declined_card_is_402_and_leaves_nothing(buyer, stripe_calls):
    customer = buyer(card=DECLINED)
    stripe_calls()

    with pytest.raises(cloudflare.APIStatusError) as refused:
        customer.buy()

    assert refused.value.status_code == 402
    assert [error.code for error in refused.value.errors] == [1400]
    assert stripe_calls()["subscriptions.create"] <= 1  # the SDK did not repeat it
    assert customer.plan().state == "Provisioned"
    for model in (Invoice, BillingSchedule, PaymentAttempt, ChangeClaim):
        assert not model.objects.filter(account=customer.account).exists()
    assert Entitlement.objects.get(zone_id=customer.zone.pk, feature="rules.page_rules").value == 3


@pytest.mark.parametrize(
    ("wish", "error", "code"),
    [
        ({"rate_plan": {"id": "nope"}}, cloudflare.BadRequestError, 1303),
        ({"rate_plan": {"id": "enterprise"}}, cloudflare.BadRequestError, 1302),
        ({"frequency": "weekly"}, cloudflare.BadRequestError, 1310),
        ({"rate_plan": {"id": 7}}, cloudflare.BadRequestError, 1001),
    ],
)
def test_a_refusal_reaches_the_sdk_as_its_own_exception(buyer, wish, error, code):
    customer = buyer()

    with pytest.raises(error) as refused:
        customer.buy(**wish)

    assert refused.value.errors[0].code == code
    assert not ChangeWorkflow.objects.filter(account=customer.account).exists()


def test_a_body_of_10_mb_is_413_over_http(buyer):
    customer = buyer()

    answer = customer.raw.post(f"/zones/{customer.zone.pk}/subscription", content=b"x" * 10 * 1024 * 1024)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, 1002)


def test_a_bank_that_asks_is_answered_in_the_browser_and_then_it_is_paid(buyer, sandbox, page):
    customer = buyer(card=NEEDS_3DS)
    waiting = customer.buy()
    assert (waiting.state, waiting.rate_plan.id) == ("AwaitingPayment", "pro")
    assert waiting.client_secret.startswith("pi_")
    assert customer.workflow(waiting.workflow_id)["state"] == "waiting"
    assert Entitlement.objects.get(zone_id=customer.zone.pk, feature="rules.page_rules").value == 3

    page.goto(f"{sandbox}/_sandbox/authenticate?client_secret={waiting.client_secret}")
    page.click("#complete")
    page.wait_for_selector("#status")
    work_until(lambda: customer.workflow(waiting.workflow_id)["finished_on"])

    finished = customer.workflow(waiting.workflow_id)
    assert (finished["state"], finished["client_secret"], finished["refusal"]) == ("committed", None, None)
    assert (customer.plan().state, customer.plan().id) == ("Paid", waiting.id)
    assert Entitlement.objects.get(zone_id=customer.zone.pk, feature="rules.page_rules").value == 20
    assert Invoice.objects.filter(account=customer.account, status="paid").count() == 1


def test_without_a_card_the_secret_is_what_pays(buyer, sandbox):
    customer = buyer(card=None)
    waiting = customer.buy()
    assert waiting.state == "AwaitingPayment"

    sandbox.post(
        "/_sandbox/authenticate", {"client_secret": waiting.client_secret, "outcome": "complete", "card": "visa"}
    )
    work_until(lambda: customer.plan().state == "Paid")

    assert customer.workflow(waiting.workflow_id)["state"] == "committed"


def test_asking_again_while_it_waits_answers_with_the_change_that_waits(buyer):
    customer = buyer(card=NEEDS_3DS)

    answers = [customer.buy() for _ in range(2)]

    assert answers[0] == answers[1]
    assert answers[0].state == "AwaitingPayment"
    assert ChangeWorkflow.objects.filter(account=customer.account).count() == 1


def test_something_else_while_it_waits_is_bought_in_its_place(buyer):
    customer = buyer(card=NEEDS_3DS)
    customer.buy()

    customer.buy(rate_plan={"id": "business"})

    steps = (
        ChangeWorkflow.objects.filter(account=customer.account).order_by("requested_at").values_list("step", flat=True)
    )
    assert list(steps) == ["abandoned", "awaiting_payment"]


class LosesAnswers(httpx.HTTPTransport):
    """A network that delivers each request and loses the answer to the first POST."""

    lost = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if request.method == "POST" and not self.lost:
            response.read()
            self.lost += 1
            raise httpx.ReadError("the connection was reset", request=request)
        return response


@pytest.mark.parametrize("card", [GOOD, NEEDS_3DS])
def test_the_sdks_own_repeat_of_a_post_buys_nothing_twice(buyer, card):
    network = LosesAnswers()
    customer = buyer(card=card, transport=network)

    bought = customer.buy()

    assert network.lost == 1
    assert bought.state == ("Paid" if card == GOOD else "AwaitingPayment")
    assert ChangeWorkflow.objects.filter(account=customer.account).count() == 1
    assert Invoice.objects.filter(account=customer.account).count() == (1 if card == GOOD else 0)


def test_the_same_wish_twice_at_once_is_bought_once(buyer):
    customer = buyer()

    with ThreadPoolExecutor(2) as both:
        bought = [wish.result() for wish in [both.submit(customer.buy) for _ in range(2)]]

    assert [subscription.state for subscription in bought] == ["Paid", "Paid"]
    assert Invoice.objects.filter(account=customer.account).count() == 1
    assert ChangeWorkflow.objects.filter(account=customer.account).count() == 1


def test_pages_end(buyer):
    customer = buyer()

    zones = list(customer.sdk.zones.list(per_page=1))

    assert [zone.id for zone in zones] == [customer.zone.pk]
    assert customer.sdk.zones.list(page=9, per_page=1).result == []
