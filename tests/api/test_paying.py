"""Paying an invoice and keeping payment methods with the official SDK, over HTTP: what customers and their tools see."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import cloudflare
import httpx
import pytest
from cloudflare import Cloudflare

from accounts.models import AccountType
from accounts.profile import set_account_type
from billing.invoicing.ledger import Book, balance_minor
from billing.invoicing.resolve import mark_uncollectible
from billing.models.invoices import BillingSchedule, Invoice, PaymentAttempt
from billing.models.methods import PaymentMethod
from config import clock as business
from config.passing_time import pass_time
from tests.api.contract import deviations
from tests.billing.people import NEEDS_3DS

pytestmark = pytest.mark.usefixtures("catalog")


def strictly(answer, method):
    assert answer.status_code == 200, answer.text
    result = answer.json()["result"]
    assert deviations(method, result) == []
    return result


@pytest.fixture
def owing(buyer, clock, sandbox):
    """A customer whose renewal was declined, with the card that works again by now."""

    def make(outcome="ok"):
        clock.freeze()
        customer = buyer()
        customer.buy()
        card = PaymentMethod.objects.get(account=customer.account)
        turn(sandbox, card, "insufficient_funds")
        list(pass_time(BillingSchedule.objects.get(account=customer.account).next_at + timedelta(hours=2)))
        turn(sandbox, card, outcome)
        return customer

    return make


def turn(sandbox, card, outcome):
    sandbox.post("/_sandbox/payment_methods", {"payment_method": card.processor_id, "outcome": outcome})


def at_the_processor(sandbox, *, number="5555555555554444"):
    """A method as a browser makes one: with the processor, nobody's yet."""
    import stripe
    from django.conf import settings

    client = stripe.StripeClient(settings.STRIPE_API_KEY, base_addresses={"api": str(sandbox)})
    card = {"number": number, "exp_month": 12, "exp_year": 2070, "cvc": "123"}
    return client.v1.payment_methods.create({"type": "card", "card": card}).id


def test_an_unpaid_invoice_is_shown_and_paid(owing):
    customer = owing()
    account_id = customer.account.pk
    shown = strictly(customer.raw.get(f"/accounts/{account_id}/billing/unpaid-invoice"), "billing.unpaid_invoice.get")
    (unpaid,) = customer.sdk.billing.unpaid_invoice.get(account_id=account_id).invoices

    paid = customer.sdk.accounts.pay_invoice.create(account_id=account_id, invoice_id=unpaid.id)

    assert (unpaid.status, unpaid.amount_to_pay, unpaid.action) == ("Unpaid", 25.0, "cycle")
    assert shown["invoices"][0]["id"] == unpaid.id
    assert paid.client_secret is None
    assert customer.sdk.billing.unpaid_invoice.get(account_id=account_id).invoices == []
    again = customer.raw.post(f"/accounts/{account_id}/pay-invoice", json={"invoice_id": unpaid.id})
    assert strictly(again, "accounts.pay_invoice.create") == {"client_secret": None}
    attempts = PaymentAttempt.objects.filter(invoice=unpaid.id).order_by("started_at")
    assert [(a.status, a.on_session) for a in attempts] == [("failed", False), ("succeeded", True)]
    assert balance_minor(account_id, Book.RECEIVABLE, currency="usd") == 0


def test_twenty_payments_of_one_invoice_at_once_are_one_charge(owing, sandbox):
    customer = owing()
    account_id, invoice = customer.account.pk, Invoice.objects.get(account=customer.account, reason="cycle")

    def pay(_number):
        return customer.raw.post(f"/accounts/{account_id}/pay-invoice", json={"invoice_id": invoice.pk}).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = set(pool.map(pay, range(20)))

    invoice.refresh_from_db()
    assert (statuses <= {200, 429}, 200 in statuses, invoice.status) == (True, True, "paid"), statuses
    assert PaymentAttempt.objects.filter(invoice=invoice, on_session=True).count() == 1
    listed = sandbox.get(f"/v1/charges?customer={customer.account.customer.stripe_customer_id}&limit=100")["data"]
    assert len([charge for charge in listed if charge["paid"]]) == 2


def test_the_bank_asks_and_the_customer_confirms(owing, sandbox):
    customer = owing()
    account_id = customer.account.pk
    pm = at_the_processor(sandbox, number=NEEDS_3DS.replace("155", "155"))
    added = customer.sdk.accounts.payment_methods.create(account_id=account_id, payment_nonce=pm)
    invoice = Invoice.objects.get(account=customer.account, reason="cycle")

    asked = customer.sdk.accounts.pay_invoice.create(
        account_id=account_id, invoice_id=invoice.pk, payment_method_id=added.id
    )
    sandbox.post("/_sandbox/authenticate", {"client_secret": asked.client_secret, "outcome": "complete"})
    list(pass_time(business.now()))

    invoice.refresh_from_db()
    assert invoice.status == "paid"
    attempt = PaymentAttempt.objects.get(invoice=invoice, on_session=True)
    assert (attempt.status, attempt.method_id, attempt.source) == ("succeeded", added.id, "ours")


def test_a_declined_payment_says_what_to_do_and_the_invoice_stays(owing):
    customer = owing("expired_card")
    account_id = customer.account.pk

    with pytest.raises(cloudflare.APIStatusError) as refused:
        customer.sdk.accounts.pay_invoice.create(account_id=account_id)

    assert refused.value.status_code == 402
    (error,) = refused.value.response.json()["errors"]
    assert (error["code"], error["message"]) == (
        1400,
        "The card has expired. Enter its new details, or use another payment method.",
    )
    assert Invoice.objects.get(account=account_id, reason="cycle").status == "open"


def test_a_method_that_must_never_be_charged_again_is_not_even_when_the_customer_asks(owing, sandbox, stripe_calls):
    customer = owing("lost_card")
    account_id = customer.account.pk
    method = PaymentMethod.objects.get(account=customer.account)
    customer.raw.post(f"/accounts/{account_id}/pay-invoice", json={})
    turn(sandbox, method, "ok")
    before = stripe_calls()["Invoice.pay"]

    named = customer.raw.post(f"/accounts/{account_id}/pay-invoice", json={"payment_method_id": method.pk})
    unnamed = customer.raw.post(f"/accounts/{account_id}/pay-invoice", json={})

    assert (named.status_code, named.json()["errors"][0]["code"]) == (400, 1406)
    assert strictly(unnamed, "accounts.pay_invoice.create")["client_secret"].startswith("pi_")
    assert stripe_calls()["Invoice.pay"] == before


def owes_twice(customer, sandbox):
    """
    Let another renewal of the customer's fail, and have the first one given up.

    By contract: of other types the plan would have ended with the first debt, and there would be no second one.
    """
    set_account_type(customer.account.pk, AccountType.ENTERPRISE, actor="agent:tests", now=business.now())
    card = PaymentMethod.objects.get(account=customer.account)
    turn(sandbox, card, "insufficient_funds")
    (first,) = Invoice.objects.filter(account=customer.account, reason="cycle")
    list(pass_time(business.now() + timedelta(days=32)))
    mark_uncollectible(first.pk, decided_on=first.period_end.date(), actor="system:tests", now=business.now())
    turn(sandbox, card, "ok")


def test_all_debt_is_shown_and_paid_once_on_its_own_invoices(owing, sandbox):
    customer = owing()
    account_id = customer.account.pk
    nothing_bad = customer.sdk.billing.bad_debt.get(account_id=account_id)
    owes_twice(customer, sandbox)
    shown = strictly(customer.raw.get(f"/accounts/{account_id}/billing/bad-debt"), "billing.bad_debt.get")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: customer.raw.post(f"/accounts/{account_id}/pay-bad-debt", json={}), range(8)))
    while customer.raw.post(f"/accounts/{account_id}/pay-bad-debt", json={}).status_code == 429:
        continue

    assert (nothing_bad.bad_debt_status, nothing_bad.total_debt_amount) == ("unpaid", 25.0)
    assert (shown["bad_debt_status"], shown["total_debt_amount"]) == ("bad_debt", 50.0)
    assert [invoice["amount_to_pay"] for invoice in shown["invoices"]] == [25.0, 25.0]
    assert {answer.status_code for answer in answers} <= {200, 429}
    again = customer.raw.post(f"/accounts/{account_id}/pay-bad-debt", json={})
    assert strictly(again, "accounts.pay_bad_debt.create") == {"client_secret": None}
    cleared = strictly(customer.raw.get(f"/accounts/{account_id}/billing/bad-debt"), "billing.bad_debt.get")
    assert cleared == {"bad_debt_status": "none", "total_debt_amount": 0.0, "already_paid": 0.0, "invoices": []}
    paid = PaymentAttempt.objects.filter(account=account_id, invoice__reason="cycle", status="succeeded")
    assert sorted(paid.values_list("amount_minor", flat=True)) == [25_00, 25_00]
    listed = sandbox.get(f"/v1/charges?customer={customer.account.customer.stripe_customer_id}&limit=100")["data"]
    assert sum(charge["amount"] for charge in listed if charge["paid"]) == 3 * 25_00
    assert balance_minor(account_id, Book.RECEIVABLE, currency="usd") == 0


def test_the_bank_asks_about_one_debt_and_the_rest_is_paid_after_it(owing, sandbox):
    customer = owing()
    account_id = customer.account.pk
    owes_twice(customer, sandbox)
    pm = at_the_processor(sandbox, number=NEEDS_3DS)
    added = customer.sdk.accounts.payment_methods.create(account_id=account_id, payment_nonce=pm)
    ask = {"account_id": account_id, "payment_method_id": added.id}

    secrets = []
    while secret := customer.sdk.accounts.pay_bad_debt.create(**ask).client_secret:
        secrets.append(secret)
        sandbox.post("/_sandbox/authenticate", {"client_secret": secret, "outcome": "complete"})
        list(pass_time(business.now()))

    assert len(set(secrets)) == 1  # the card is set up by then, and the bank asks about it no more
    assert set(Invoice.objects.filter(account=account_id).values_list("status", flat=True)) == {"paid"}


def test_a_declined_debt_says_what_to_do_and_nothing_is_lost(owing, sandbox):
    customer = owing("expired_card")
    account_id = customer.account.pk

    declined = customer.raw.post(f"/accounts/{account_id}/pay-bad-debt", json={})
    unknown = customer.raw.post(f"/accounts/{account_id}/pay-bad-debt", json={"payment_method_id": "0" * 32})

    assert (declined.status_code, declined.json()["errors"][0]["code"]) == (402, 1400)
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (404, 7003)
    assert customer.sdk.billing.bad_debt.get(account_id=account_id).bad_debt_status == "unpaid"


def test_refusals_of_paying(buyer, clock):
    clock.freeze()
    customer = buyer()
    path = f"/accounts/{customer.account.pk}/pay-invoice"

    answers = {
        "nothing owed": customer.raw.post(path, json={}),
        "not theirs": customer.raw.post(path, json={"invoice_id": "0" * 32}),
        "no json": customer.raw.post(path, json={"invoice_id": 5}),
    }

    assert {name: (a.status_code, a.json()["errors"][0]["code"]) for name, a in answers.items()} == {
        "nothing owed": (400, 1405),
        "not theirs": (404, 7003),
        "no json": (400, 1001),
    }


def test_methods_are_added_listed_edited_chosen_and_removed(buyer, clock, sandbox):
    clock.freeze()
    customer = buyer()
    customer.buy()
    account_id, methods = customer.account.pk, customer.sdk.accounts.payment_methods
    base = f"/accounts/{account_id}/payment-methods"
    secret = strictly(customer.raw.post(f"/accounts/{account_id}/client-secret"), "accounts.client_secret.create")
    assert secret["client_secret"].startswith("seti_")
    first = PaymentMethod.objects.get(account=customer.account)

    added = strictly(
        customer.raw.post(base, json={"payment_nonce": at_the_processor(sandbox), "type": "CREDIT_CARD"}),
        "accounts.payment_methods.create",
    )
    assert (added["last_four"], added["default"], added["expiration_date"]) == ("4444", False, "12/2070")
    edited = strictly(
        customer.raw.put(f"{base}/{added['id']}", json={"first_name": "Ada", "last_name": "King", "city": "London"}),
        "accounts.payment_methods.update",
    )
    assert (edited["first_name"], edited["last_name"], edited["city"]) == ("Ada", "King", "London")
    methods.set_as_default(added["id"], account_id=account_id)
    listed = list(methods.list(account_id=account_id))
    assert [(m.id, m.default) for m in listed] == [(added["id"], True), (first.pk, False)]
    subscription = BillingSchedule.objects.get(account=customer.account).stripe_subscription_id
    processor_id = PaymentMethod.objects.get(pk=added["id"]).processor_id
    assert sandbox.get(f"/v1/subscriptions/{subscription}")["default_payment_method"] == processor_id
    at_stripe = sandbox.get(f"/v1/customers/{customer.account.customer.stripe_customer_id}")
    assert at_stripe["invoice_settings"]["default_payment_method"] == processor_id

    primary = customer.raw.delete(f"{base}/{added['id']}")
    strictly(customer.raw.delete(f"{base}/{first.pk}"), "accounts.payment_methods.delete")
    last = customer.raw.delete(f"{base}/{added['id']}")

    assert (primary.status_code, primary.json()["errors"][0]["code"]) == (400, 1409)
    assert (last.status_code, last.json()["errors"][0]["code"]) == (400, 1408)
    assert customer.raw.get(f"{base}/{first.pk}").status_code == 404
    strictly(customer.raw.get(base), "accounts.payment_methods.list")
    strictly(customer.raw.get(f"{base}/{added['id']}"), "accounts.payment_methods.get")
    assert sandbox.get(f"/v1/payment_methods/{first.processor_id}")["customer"] is None


def test_what_can_not_be_added(buyer, clock, sandbox):
    clock.freeze()
    customer, other = buyer(), buyer()
    base = f"/accounts/{customer.account.pk}/payment-methods"
    theirs = PaymentMethod.objects.get(account=other.account)

    answers = {
        "nothing": customer.raw.post(base, json={}),
        "no method": customer.raw.post(base, json={"payment_nonce": "pm_unknown"}),
        "somebody else's": customer.raw.post(base, json={"payment_nonce": theirs.processor_id}),
        "declined": customer.raw.post(
            base, json={"payment_nonce": at_the_processor(sandbox, number="4000000000009987")}
        ),
        "paypal": customer.raw.post(base, json={"payment_nonce": "x", "type": "PAYPAL"}),
        "not theirs": customer.raw.post(f"{base}/{theirs.pk}/set-as-default", json={}),
    }

    assert {name: (a.status_code, a.json()["errors"][0]["code"]) for name, a in answers.items()} == {
        "nothing": (400, 1001),
        "no method": (400, 1411),
        "somebody else's": (400, 1411),
        "declined": (402, 1400),
        "paypal": (400, 1001),
        "not theirs": (404, 7003),
    }
    assert PaymentMethod.objects.filter(account=customer.account).count() == 1
    assert isinstance(customer.sdk, Cloudflare)
    assert isinstance(customer.raw, httpx.Client)
