"""Changing with the official SDK, unchanged, over HTTP: up, down, back, out, add-ons, carts, and what it all cost."""

from datetime import timedelta

import cloudflare
import httpx
import pytest

from billing.add_zone import add_zone
from billing.invoicing import resolve
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import Invoice
from billing.models.objectproducts import Ope
from billing.models.reversals import Charge, CreditNote
from billing.models.scheduled import Sslc
from config import clock as business
from config.passing_time import pass_time
from tests.api.conftest import PRO
from tests.api.contract import deviations
from tests.billing.people import DECLINED
from webhooks.tasks import forward

pytestmark = pytest.mark.usefixtures("catalog")

BUSINESS = {"frequency": "monthly", "rate_plan": {"id": "business"}}
FREE = {"rate_plan": {"id": "free"}}
WORKERS = {"frequency": "monthly", "rate_plan": {"id": "workers_paid"}}


def strictly(answer: httpx.Response, method: str, *, sells_addons: bool = False):
    """
    Return the result of an answer that is what the contract says, to the letter.

    The contract's names of plans are those of zones; add-ons have others, which clients take as they come.
    """
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["success"], body["errors"], body["messages"]) == (True, [], [])
    found = [each for each in deviations(method, body["result"]) if not (sells_addons and ".rate_plan.id:" in each)]
    assert found == []
    return body["result"]


def invoices(customer):
    return list(
        Invoice.objects.filter(account=customer.account)
        .order_by("created_at", "total_minor")
        .values_list("total_minor", flat=True)
    )


def test_an_upgrade_is_paid_at_once(buyer, clock):
    clock.freeze()
    customer = buyer()
    customer.buy()

    upgraded = customer.sdk.zones.subscriptions.update(zone_id=customer.zone.pk, **BUSINESS)

    assert (upgraded.state, upgraded.rate_plan.id, upgraded.price) == ("Paid", "business", 250.0)
    assert upgraded.scheduled_change is None
    assert customer.plan().to_dict() == upgraded.to_dict()
    assert invoices(customer) == [2500, 22500]


@pytest.mark.parametrize("path", ["subscription", "subscriptions"])
@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_every_way_of_asking_changes_and_asking_again_changes_nothing(buyer, path, verb):
    customer = buyer()
    customer.buy()
    wish = BUSINESS | {"component_values": [{"name": "page_rules", "value": 55}]}

    answers = [customer.raw.request(verb, f"/zones/{customer.zone.pk}/{path}", json=wish) for _ in range(2)]

    results = [strictly(answer, "zones.subscriptions.update") for answer in answers]
    assert results[0] == results[1]
    assert (results[0]["state"], results[0]["price"]) == ("Paid", 255.0)
    assert len(invoices(customer)) == 2


def test_components_alone_change_at_the_frequency_that_is_paid(buyer):
    customer = buyer()
    customer.buy(frequency="yearly")

    answer = customer.raw.put(
        f"/zones/{customer.zone.pk}/subscription", json={"component_values": [{"name": "page_rules", "value": 22}]}
    )

    result = strictly(answer, "zones.subscriptions.update")
    assert (result["frequency"], result["rate_plan"]["id"], result["price"]) == ("yearly", "pro", 240.0 + 2 * 12)


def test_a_downgrade_is_shown_waits_and_is_taken_back(buyer, stripe_calls):
    customer = buyer()
    paid = customer.buy(rate_plan={"id": "business"})
    before = stripe_calls()

    down = customer.sdk.accounts.subscriptions.update(paid.id, account_id=customer.account.pk, **PRO)
    again = customer.sdk.accounts.subscriptions.update(paid.id, account_id=customer.account.pk, **PRO)

    assert (down.state, down.rate_plan.id, down.id) == ("Paid", "business", paid.id)
    assert down.scheduled_change["plan"] == "pro"
    assert down.scheduled_change["frequency"] == "monthly"
    assert down.scheduled_change["component_values"][1] == {"name": "page_rules", "value": 20}
    assert (
        down.scheduled_change["applies_on"]
        == strictly(customer.raw.get(f"/zones/{customer.zone.pk}/subscription"), "zones.subscriptions.get")[
            "current_period_end"
        ]
    )
    assert again.to_dict() == down.to_dict()
    kept = [
        customer.sdk.accounts.subscriptions.cancel_downgrade(
            account_id=customer.account.pk, subscription_ids=[paid.id.upper()]
        )
        for _ in range(2)
    ]
    assert [each[0]["scheduled_change"] for each in kept] == [None, None]
    assert customer.plan().scheduled_change is None
    assert Sslc.objects.filter(account=customer.account).count() == 1
    assert stripe_calls() == before


def test_nothing_scheduled_and_nobodys_subscription_are_refused_once(buyer):
    customer = buyer()
    paid = customer.buy()

    def take_back(*ids):
        return customer.raw.post(
            f"/accounts/{customer.account.pk}/subscriptions/cancel-downgrade", json={"subscription_ids": list(ids)}
        )

    nothing, nobodys = take_back(paid.id), take_back(paid.id, "0" * 32)
    assert (nothing.status_code, nothing.json()["errors"][0]["code"]) == (400, 1314)
    assert (nobodys.status_code, nobodys.json()["errors"][0]["code"]) == (404, 7003)
    with pytest.raises(cloudflare.BadRequestError):
        customer.sdk.accounts.subscriptions.cancel_downgrade(account_id=customer.account.pk, subscription_ids=[paid.id])


def test_in_the_last_minutes_it_is_too_late_to_take_back(buyer, clock):
    clock.freeze()
    customer = buyer()
    paid = customer.buy()
    customer.sdk.zones.subscriptions.update(zone_id=customer.zone.pk, **FREE)
    end = Sslc.objects.get(account=customer.account).applies_at
    list(pass_time(end - timedelta(minutes=5)))

    with pytest.raises(cloudflare.BadRequestError) as refused:
        customer.sdk.accounts.subscriptions.cancel_downgrade(account_id=customer.account.pk, subscription_ids=[paid.id])

    assert refused.value.errors[0].code == 1315


def test_cancelling_waits_for_the_period_and_then_the_zone_is_free(buyer, clock):
    clock.freeze()
    customer = buyer()
    paid = customer.buy()
    path = f"/accounts/{customer.account.pk}/subscriptions/{paid.id}"

    gone = [customer.sdk.accounts.subscriptions.delete(paid.id, account_id=customer.account.pk) for _ in range(2)]

    assert [each.subscription_id for each in gone] == [paid.id, paid.id]
    assert strictly(customer.raw.delete(path), "accounts.subscriptions.delete") == {"subscription_id": paid.id}
    waiting = customer.plan()
    assert (waiting.state, waiting.rate_plan.id, waiting.scheduled_change["plan"]) == ("Paid", "pro", "free")
    said = customer.sdk.accounts.subscriptions.cancel_reason.create(
        paid.id, account_id=customer.account.pk, reason_code=["too_expensive", "other"], other="We moved."
    )
    read = strictly(customer.raw.get(f"{path}/cancel-reason"), "accounts.subscriptions.cancel_reason.get")
    assert (read["id"], read["reason_code"], read["other"]) == (said.id, ["too_expensive", "other"], "We moved.")
    list(pass_time(Sslc.objects.get(account=customer.account).applies_at + timedelta(hours=3)))
    ended = customer.plan()
    assert (ended.state, ended.rate_plan.id, ended.id, ended.scheduled_change) == ("Provisioned", "free", paid.id, None)
    assert strictly(customer.raw.delete(path), "accounts.subscriptions.delete") == {"subscription_id": paid.id}


def test_the_free_plan_is_how_a_plan_is_cancelled(buyer):
    customer = buyer()
    customer.buy()

    answer = customer.raw.put(f"/zones/{customer.zone.pk}/subscription", json=FREE)

    result = strictly(answer, "zones.subscriptions.update")
    assert (result["rate_plan"]["id"], result["scheduled_change"]["plan"]) == ("pro", "free")


def test_while_one_change_is_scheduled_another_is_refused_and_not_repeated(buyer):
    customer = buyer()
    customer.buy(rate_plan={"id": "business"})
    customer.sdk.zones.subscriptions.update(zone_id=customer.zone.pk, **PRO)

    with pytest.raises(cloudflare.BadRequestError) as refused:
        customer.sdk.zones.subscriptions.update(zone_id=customer.zone.pk, **FREE)

    assert refused.value.errors[0].code == 1306
    assert refused.value.response.headers["X-Should-Retry"] == "false"
    assert "x-stainless-retry-count" in refused.value.request.headers
    assert refused.value.response.request.headers["x-stainless-retry-count"] == "0"


def with_rules(count, plan="pro"):
    return {"rate_plan": {"id": plan}, "component_values": [{"name": "page_rules", "value": count}]}


def test_fewer_of_a_component_wait_and_asking_again_changes_nothing(buyer):
    customer = buyer()
    path = f"/zones/{customer.zone.pk}/subscription"
    strictly(customer.raw.put(path, json=with_rules(30)), "zones.subscriptions.update")

    fewer, again = (
        strictly(customer.raw.put(path, json=with_rules(22)), "zones.subscriptions.update") for _ in range(2)
    )
    others = [customer.raw.put(path, json=wish) for wish in (with_rules(25), with_rules(35), BUSINESS, FREE)]

    assert fewer == again
    assert (fewer["price"], fewer["component_values"][1]["value"]) == (35.0, 30)
    assert fewer["scheduled_change"]["component_values"][1] == {"name": "page_rules", "value": 22}
    assert [(each.status_code, each.json()["errors"][0]["code"]) for each in others] == [(400, 1306)] * 4


def test_a_smaller_plan_with_more_of_a_component_is_had_at_once_and_asked_for_once(buyer):
    customer = buyer()
    path = f"/zones/{customer.zone.pk}/subscription"
    strictly(customer.raw.put(path, json=with_rules(60, "business")), "zones.subscriptions.update")

    mixed, again = (
        strictly(customer.raw.put(path, json=with_rules(80)), "zones.subscriptions.update") for _ in range(2)
    )

    assert mixed == again
    assert (mixed["rate_plan"]["id"], mixed["component_values"][1]["value"]) == ("business", 80)
    assert (mixed["scheduled_change"]["plan"], mixed["scheduled_change"]["component_values"][1]["value"]) == ("pro", 80)
    assert len(invoices(customer)) == 2


def test_a_month_that_was_just_paid_counts_on_the_year(buyer):
    customer = buyer()
    customer.buy()

    customer.sdk.zones.subscriptions.update(zone_id=customer.zone.pk, **(PRO | {"frequency": "yearly"}))

    assert customer.plan().frequency == "yearly"
    month, year = invoices(customer)
    assert month == 2500
    assert 21500 <= year <= 21501  # 240.00 for the year, less all but moments of the month


def test_an_upgrade_that_is_declined_changes_nothing(buyer, sandbox):
    customer = buyer()
    customer.buy()
    store_as_default(customer, DECLINED)

    with pytest.raises(cloudflare.APIStatusError) as refused:
        customer.sdk.zones.subscriptions.update(zone_id=customer.zone.pk, **BUSINESS)

    assert (refused.value.status_code, refused.value.errors[0].code) == (402, 1400)
    assert customer.plan().rate_plan.id == "pro"
    assert invoices(customer) == [2500]


def store_as_default(customer, card):
    from billing.payments.methods import store_test_card

    store_test_card(customer.account.pk, number=card, actor="system:tests", now=business.now())


def test_an_add_on_of_the_account_is_bought_changed_and_ended(buyer, clock):
    clock.freeze()
    customer = buyer()
    path = f"/accounts/{customer.account.pk}/subscriptions"

    bought = customer.sdk.accounts.subscriptions.create(account_id=customer.account.pk, **WORKERS)

    assert (bought.state, bought.rate_plan.id, bought.price) == ("Paid", "workers_paid", 5.0)
    again = strictly(customer.raw.post(path, json=WORKERS), "accounts.subscriptions.create", sells_addons=True)
    assert (again["id"], "zone" in again, invoices(customer)) == (bought.id, False, [500])
    refused = customer.raw.put(f"{path}/{bought.id}", json=PRO)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, 1312)
    assert (
        customer.sdk.accounts.subscriptions.delete(bought.id, account_id=customer.account.pk).subscription_id
        == bought.id
    )
    shown = strictly(
        customer.raw.get(f"{path}/{bought.id}"), "accounts.subscriptions.get_by_identifier", sells_addons=True
    )
    assert (shown["state"], shown["scheduled_change"]["plan"]) == ("Paid", None)
    kept = customer.raw.post(path, json=WORKERS)
    assert (kept.status_code, kept.json()["errors"][0]["code"]) == (400, 1306)
    list(pass_time(Sslc.objects.get(account=customer.account).applies_at + timedelta(hours=3)))
    assert (
        customer.sdk.accounts.subscriptions.get_by_identifier(bought.id, account_id=customer.account.pk).state
        == "Cancelled"
    )
    assert (
        customer.sdk.accounts.subscriptions.delete(bought.id, account_id=customer.account.pk).subscription_id
        == bought.id
    )
    ended = customer.raw.put(f"{path}/{bought.id}", json=WORKERS)
    assert (ended.status_code, ended.json()["errors"][0]["code"]) == (400, 1313)


def test_what_hangs_on_a_plan_that_costs_nothing_is_kept_for_as_long_as_it_is_paid(buyer, clock):
    clock.freeze()
    customer = buyer()
    account_id, path = customer.account.pk, f"/accounts/{customer.account.pk}/subscriptions"

    def users(count):
        wish = {"rate_plan": {"id": "teams_standard"}, "component_values": [{"name": "users", "value": count}]}
        return strictly(customer.raw.post(path, json=wish), "accounts.subscriptions.create", sells_addons=True)

    bought, fewer, again = users(10), users(5), users(5)
    customer.sdk.accounts.subscriptions.cancel_downgrade(account_id=account_id, subscription_ids=[bought["id"]])
    gone = [strictly(customer.raw.delete(f"{path}/{bought['id']}"), "accounts.subscriptions.delete") for _ in range(2)]

    assert (fewer["price"], fewer == again) == (9 * 7.0, True)
    assert fewer["scheduled_change"]["component_values"] == [{"name": "users", "value": 5}]
    assert gone == [{"subscription_id": bought["id"]}] * 2
    shown = customer.sdk.accounts.subscriptions.get_by_identifier(bought["id"], account_id=account_id)
    assert (shown.price, shown.scheduled_change["plan"]) == (9 * 7.0, None)
    list(pass_time(Sslc.objects.get(account=customer.account, ended_at=None).applies_at + timedelta(hours=3)))
    ended = customer.sdk.accounts.subscriptions.get_by_identifier(bought["id"], account_id=account_id)
    assert ended.state == "Cancelled"
    assert invoices(customer) == [6300]


def test_what_others_sell_is_not_bought_here(buyer):
    customer = buyer()

    with pytest.raises(cloudflare.BadRequestError) as refused:
        customer.sdk.accounts.subscriptions.create(account_id=customer.account.pk, rate_plan={"id": "registrar_com"})

    assert refused.value.errors[0].code == 1312
    assert invoices(customer) == []


def test_what_is_billed_by_use_costs_nothing_now_and_ends_at_once(buyer):
    customer = buyer()

    bought = customer.sdk.accounts.subscriptions.create(account_id=customer.account.pk, rate_plan={"id": "r2_paid"})

    assert (bought.state, bought.price) == ("Provisioned", 0.0)
    customer.sdk.accounts.subscriptions.delete(bought.id, account_id=customer.account.pk)
    assert (
        customer.sdk.accounts.subscriptions.get_by_identifier(bought.id, account_id=customer.account.pk).state
        == "Cancelled"
    )


def test_a_person_reaches_every_subscription_without_naming_the_account(buyer):
    customer = buyer()
    paid = customer.buy(rate_plan={"id": "business"})

    assert [each.id for each in customer.sdk.user.subscriptions.get()] == [paid.id]
    result = strictly(customer.raw.put(f"/user/subscriptions/{paid.id}", json=PRO), "user.subscriptions.update")
    assert result["scheduled_change"]["plan"] == "pro"
    customer.sdk.accounts.subscriptions.cancel_downgrade(account_id=customer.account.pk, subscription_ids=[paid.id])
    assert customer.sdk.user.subscriptions.delete(paid.id).subscription_id == paid.id
    answer = customer.raw.delete(f"/user/subscriptions/{paid.id}").json()
    assert answer["subscription_id"] == answer["result"]["subscription_id"] == paid.id
    assert [m.account.id for m in customer.sdk.memberships.list()] == [customer.account.pk]


# --- Previews --------------------------------------------------------------------------------------------------------


def preview(customer, body):
    answer = customer.raw.post(f"/accounts/{customer.account.pk}/subscriptions/preview", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def test_a_preview_is_what_is_then_paid_and_asks_stripe_for_nothing(buyer, clock, stripe_calls):
    clock.freeze()
    customer = buyer()
    customer.buy()
    list(pass_time(business.now() + timedelta(days=10)))
    zone = {"zone": {"id": customer.zone.pk}}
    before = stripe_calls()

    shown = preview(customer, BUSINESS | zone)

    assert stripe_calls() == before
    assert (shown["currency"], shown["tax_included"], shown["changes_at_period_end"]) == ("USD", False, [])
    assert [(each["before"]["value"], each["after"]["value"]) for each in shown["changes_now"]] == [("pro", "business")]
    assert [line["description"] for line in shown["lines"]] == ["Unused time: Pro plan", "Business plan"]
    assert round(sum(line["amount"] for line in shown["lines"]), 2) == shown["due_now"]
    customer.sdk.zones.subscriptions.update(zone_id=customer.zone.pk, **BUSINESS)
    assert invoices(customer)[-1] == round(shown["due_now"] * 100)


def test_a_preview_of_less_says_when(buyer):
    customer = buyer()
    customer.buy(rate_plan={"id": "business"})
    zone = {"zone": {"id": customer.zone.pk}}

    down, out, same = (preview(customer, wish | zone) for wish in (PRO, FREE, BUSINESS))

    assert [each["due_now"] for each in (down, out, same)] == [0.0, 0.0, 0.0]
    assert down["changes_at_period_end"][0]["after"]["value"] == "pro"
    assert down["changes_at_period_end"][0]["applies_on"] is not None
    assert out["changes_at_period_end"][0]["after"]["value"] == "free"
    assert (same["changes_now"], same["changes_at_period_end"]) == ([], [])
    assert not Sslc.objects.filter(account=customer.account).exists()


def test_a_preview_refuses_what_the_change_would(buyer):
    customer = buyer()

    answer = customer.raw.post(f"/accounts/{customer.account.pk}/subscriptions/preview", json=PRO)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 1304)


# --- Carts -----------------------------------------------------------------------------------------------------------


def cart(customer, *zones, frequency="monthly"):
    pro = {"rate_plan": {"id": "pro"}, "frequency": frequency}
    return [pro | {"zone": {"id": zone.pk}} for zone in zones] + [WORKERS]


@pytest.fixture
def shopper(buyer):
    """Return somebody with two zones, and what they would buy."""
    customer = buyer()
    second = add_zone(
        customer.account.pk, name=f"second-{customer.zone.name}", actor="system:tests", now=business.now()
    )
    return customer, cart(customer, customer.zone, second)


def test_a_cart_is_one_payment_and_one_invoice_and_its_key_buys_once(shopper, stripe_calls):
    customer, wanted = shopper
    before = sum(stripe_calls().values())

    bought = [
        customer.sdk.accounts.subscriptions.bulk.create(
            account_id=customer.account.pk, idemp_key="order-1", subscriptions=wanted
        )
        for _ in range(2)
    ]

    assert [(each["rate_plan"]["id"], each["state"]) for each in bought[0]] == [
        ("pro", "Paid"), ("pro", "Paid"), ("workers_paid", "Paid"),
    ]  # fmt: skip
    assert bought[0] == bought[1]
    assert invoices(customer) == [5500]
    assert ChangeWorkflow.objects.filter(account=customer.account).count() == 1
    assert sum(stripe_calls().values()) - before <= 3


def test_a_key_buys_once_whatever_happened_since(shopper):
    customer, wanted = shopper
    path = f"/accounts/{customer.account.pk}/bulk/subscriptions?idemp_key=order-2"
    strictly(customer.raw.post(path, json={"subscriptions": wanted}), "accounts.subscriptions.bulk.create")
    customer.sdk.zones.subscriptions.update(zone_id=customer.zone.pk, **BUSINESS)

    again = strictly(customer.raw.post(path, json={"subscriptions": wanted}), "accounts.subscriptions.bulk.create")
    other = customer.raw.post(path, json={"subscriptions": wanted[:1]})

    assert [each["rate_plan"]["id"] for each in again] == ["business", "pro", "workers_paid"]
    assert [each["scheduled_change"] for each in again] == [None, None, None]
    assert (other.status_code, other.json()["errors"][0]["code"]) == (400, 1004)


def test_a_cart_that_costs_nothing_has_its_key_too(buyer):
    customer = buyer()
    path = f"/accounts/{customer.account.pk}/bulk/subscriptions?idemp_key=order-3"
    free = {"subscriptions": [{"rate_plan": {"id": "r2_paid"}}]}
    (bought,) = strictly(customer.raw.post(path, json=free), "accounts.subscriptions.bulk.create")
    customer.sdk.accounts.subscriptions.delete(bought["id"], account_id=customer.account.pk)

    again = strictly(customer.raw.post(path, json=free), "accounts.subscriptions.bulk.create")

    assert again == []
    assert not Ope.objects.filter(account=customer.account, product="r2_paid", deleted_date__isnull=True).exists()


def test_a_declined_cart_buys_nothing_and_its_key_says_so_again(buyer, stripe_calls):
    customer = buyer(card=DECLINED)
    wanted = cart(customer, customer.zone)
    refusals = []
    for _ in range(2):
        with pytest.raises(cloudflare.APIStatusError) as refused:
            customer.sdk.accounts.subscriptions.bulk.create(
                account_id=customer.account.pk, idemp_key="order-4", subscriptions=wanted
            )
        refusals.append((refused.value.status_code, refused.value.errors[0].code))

    assert refusals == [(402, 1400), (402, 1400)]
    assert stripe_calls()["subscriptions.create"] <= 1
    assert customer.plan().rate_plan.id == "free"


def test_a_cart_may_hold_a_plan_and_what_needs_it(buyer):
    customer = buyer()
    zone = {"zone": {"id": customer.zone.pk}}

    bought = customer.sdk.accounts.subscriptions.bulk.create(
        account_id=customer.account.pk, subscriptions=[{"rate_plan": {"id": "argo_zone_basic"}} | zone, PRO | zone]
    )

    assert [(each["rate_plan"]["id"], each["state"]) for each in bought] == [
        ("argo_zone_basic", "Paid"), ("pro", "Paid"),
    ]  # fmt: skip
    assert invoices(customer) == [3000]


CARTS = [
    # the body                                                                           code
    (lambda wanted: {"subscriptions": wanted[:0]},                                               1001),
    (lambda wanted: {"subscriptions": wanted, "coupon_code": "HALF"},                    1001),
    (lambda wanted: {"subscriptions": wanted, "payment_hold_id": 7},                     1001),
    (lambda wanted: {"subscriptions": [*wanted, {"rate_plan": {}}]},                     1001),
    (lambda wanted: {"subscriptions": [*wanted[:1], wanted[1] | {"frequency": "yearly"}]}, 1308),
    (lambda wanted: {"subscriptions": [*wanted, WORKERS]},                               1316),
    (lambda wanted: {"subscriptions": [*wanted, wanted[0] | {"rate_plan": {"id": "business"}}]}, 1316),
    (lambda wanted: {"subscriptions": [*wanted, PRO]},                                   1304),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code"), CARTS)
def test_a_cart_that_makes_no_sense_buys_nothing(shopper, body, code):
    customer, wanted = shopper

    answer = customer.raw.post(f"/accounts/{customer.account.pk}/bulk/subscriptions", json=body(wanted))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    assert invoices(customer) == []


# --- History ---------------------------------------------------------------------------------------------------------


def test_the_history_has_what_was_charged_refunded_and_given_and_picks_of_it(buyer, clock):
    clock.freeze()
    customer, other = buyer(), buyer()
    customer.buy(), other.buy()
    charge = Charge.objects.get(account=customer.account)
    clock.advance(minutes=1)
    resolve.refund(charge.pk, amount_minor=10_00, actor="agent:a", now=business.now())
    clock.advance(minutes=1)
    resolve.refund(charge.pk, amount_minor=5_00, to_credit=True, actor="agent:a", now=business.now())
    path = f"/accounts/{customer.account.pk}/billing/history"

    entries = strictly(customer.raw.get(path), "billing.history.list")
    picked = {
        query: [each["type"] for each in strictly(customer.raw.get(f"{path}?{query}"), "billing.history.list")]
        for query in ("type=refund", "status=PAID", "status=refunded", "type=refund&status=paid", "status=nothing")
    }

    assert [(each["type"], each["action"], each["status"], each["amount"]) for each in entries] == [
        ("credit", "goodwill", "Credited", 5.0), ("refund", "refund", "Refunded", 10.0),
        ("charge", "charge", "Paid", 25.0), ("invoice", "purchase", "Paid", 25.0),
    ]  # fmt: skip
    note = CreditNote.objects.get(account=customer.account, to_method_minor=10_00)
    assert [each["receipt_id"] for each in entries] == [None, note.pk, charge.invoice_id, charge.invoice_id]
    assert [each["invoice_id"] for each in entries[1:]] == [charge.invoice_id] * 3
    assert picked == {
        "type=refund": ["refund"], "status=PAID": ["charge", "invoice"], "status=refunded": ["refund"],
        "type=refund&status=paid": [], "status=nothing": [],
    }  # fmt: skip
    assert customer.raw.get(f"{path}?type=novel").status_code == 400


def test_the_history_is_newest_first_and_comes_in_pages(buyer, clock):
    clock.freeze()
    customer = buyer()
    customer.buy()
    list(pass_time(business.now() + timedelta(days=1)))
    customer.sdk.zones.subscriptions.update(zone_id=customer.zone.pk, **BUSINESS)
    forward()

    entries = list(customer.sdk.billing.history.list(account_id=customer.account.pk, per_page=1))

    assert [(each.type, each.action, each.status, each.amount_to_pay) for each in entries] == [
        ("charge", "charge", "Paid", 0.0), ("invoice", "change", "Paid", 0.0),
        ("charge", "charge", "Paid", 0.0), ("invoice", "purchase", "Paid", 0.0),
    ]  # fmt: skip
    assert [each.amount for each in entries[2:]] == [25.0, 25.0]
    answer = customer.raw.get(f"/accounts/{customer.account.pk}/billing/history")
    assert len(strictly(answer, "billing.history.list")) == 4
    assert list(customer.sdk.billing.history.list(account_id=customer.account.pk, status="unpaid")) == []


def test_a_zone_is_removed_once(buyer):
    customer = buyer()

    removed = customer.sdk.zones.delete(zone_id=customer.zone.pk)

    assert removed.id == customer.zone.pk
    assert customer.raw.get(f"/zones/{customer.zone.pk}").status_code == 404
