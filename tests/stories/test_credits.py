"""Credit pays before money does, at the sandbox: reserved, used, freed, and never spent twice."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from accounts.lock import account_lock
from billing.changes_calculator.preview import preview
from billing.changes_calculator.request import PaymentDeclined
from billing.changes_calculator.submit import submit
from billing.invoicing import credits as customer_credits
from billing.invoicing import resolve
from billing.invoicing.books import Book
from billing.invoicing.coupons import CouponRefused, make_coupon, redeem
from billing.invoicing.credits import Grant
from billing.invoicing.ledger import balance_minor, owed_minor
from billing.models.credits import Credit, CreditUse
from billing.models.invoices import Invoice
from config import clock as business
from config.passing_time import pass_time
from tests.billing.people import DECLINED, customer, wish
from tests.money import nothing_differs

pytestmark = pytest.mark.usefixtures("story", "catalog", "live_server_url")


def let_pass(**duration):
    for _ in pass_time(business.now() + timedelta(**duration)):
        pass


def given(account, amount_minor, kind=Credit.Kind.GOODWILL, expires_at=None):
    now = business.now()
    wanted = Grant(
        kind=kind, amount_minor=amount_minor, currency="usd", source=f"test:{now.isoformat()}", expires_at=expires_at
    )
    with account_lock(account.pk):
        return customer_credits.grant(account.pk, wanted, actor="agent:a", now=now)


def test_a_purchase_is_paid_by_credit_first_and_previewed_so(clock):
    account, zone = customer()
    credit = given(account, 10_00)
    asked = wish(account, zone)
    shown = preview(asked)

    submit(asked)

    invoice = Invoice.objects.get(account=account)
    assert shown.due_now_minor == invoice.total_minor == invoice.paid_minor == 15_00
    assert sum(line.amount_minor for line in shown.lines) == 15_00
    credit.refresh_from_db()
    assert (credit.remaining_minor, credit.reserved_minor) == (0, 0)
    assert balance_minor(account.pk, Book.REVENUE, currency="usd") == -25_00
    assert balance_minor(account.pk, Book.CUSTOMER_CREDIT, currency="usd") == 0
    assert nothing_differs(account)


def test_a_change_and_a_renewal_are_paid_by_credit_and_never_more_than_they_cost(clock):
    account, zone = customer()
    submit(wish(account, zone))
    credit = given(account, 500_00)

    shown = preview(wish(account, zone, "business"))
    submit(wish(account, zone, "business"))
    change = Invoice.objects.get(account=account, reason="change")
    assert shown.due_now_minor == change.total_minor == 0
    credit.refresh_from_db()
    left_minor = credit.remaining_minor
    assert 0 < left_minor < 500_00
    let_pass(days=32)

    renewal = Invoice.objects.filter(account=account, reason="cycle").get()
    credit.refresh_from_db()
    assert renewal.status == "paid"
    assert renewal.total_minor == 250_00 - (left_minor - credit.remaining_minor)
    assert owed_minor(account.pk, currency="usd") == -credit.remaining_minor
    assert nothing_differs(account)


def test_a_change_that_is_declined_frees_its_credit(clock):
    account, zone = customer(card=DECLINED)
    credit = given(account, 10_00)

    with pytest.raises(PaymentDeclined):
        submit(wish(account, zone))

    credit.refresh_from_db()
    assert (credit.remaining_minor, credit.reserved_minor) == (10_00, 0)
    assert CreditUse.objects.get(account=account).status == "freed"
    assert nothing_differs(account)


def test_what_is_reserved_is_not_spent_twice_and_expires_only_when_it_is_free(clock):
    account, zone = customer(card=None)
    credit = given(account, 10_00, expires_at=business.now() + timedelta(hours=1))
    submit(wish(account, zone))  # waits for a card
    credit.refresh_from_db()
    assert credit.reserved_minor == 10_00
    assert customer_credits.spendable(account.pk, at=business.now()) == ()
    with pytest.raises(IntegrityError), account_lock(account.pk):
        customer_credits.reserve(account.pk, [(credit.pk, 1)], workflow_id="0" * 32, now=business.now())

    # At one go: a payment that waits is asked about every few minutes.
    clock.advance(hours=2)
    let_pass(seconds=1)
    assert owed_minor(account.pk, currency="usd") == -10_00
    clock.advance(hours=23)
    let_pass(seconds=1)

    credit.refresh_from_db()
    assert (credit.remaining_minor, credit.reserved_minor) == (0, 0)
    assert owed_minor(account.pk, currency="usd") == 0
    assert nothing_differs(account)


def test_a_coupon_is_redeemed_once_and_taken_back_as_far_as_it_is_unused(clock):
    account, zone = customer()
    code = f"HELLO-{account.pk[:8].upper()}"
    make_coupon(code, amount_minor=40_00, currency="usd", credit_days=90, actor="agent:a", now=business.now())

    credit = redeem(account.pk, f" {code.lower()} ", actor="customer:a", now=business.now())
    with pytest.raises(CouponRefused, match="already"):
        redeem(account.pk, code, actor="customer:a", now=business.now())
    with pytest.raises(CouponRefused, match="no such code"):
        redeem(account.pk, "NOPE-NOPE", actor="customer:a", now=business.now())
    submit(wish(account, zone))

    assert customer_credits.take_back(credit.pk, actor="agent:a", now=business.now()) == 15_00
    assert customer_credits.take_back(credit.pk, actor="agent:a", now=business.now()) == 0
    credit.refresh_from_db()
    assert credit.remaining_minor == 0
    assert balance_minor(account.pk, Book.CREDIT_GIVEN, currency="usd") == 25_00
    assert nothing_differs(account)


@pytest.mark.parametrize(
    ("days", "then"),
    [(30, [("promotional", 10_00)]), (2, [("goodwill", 10_00), ("promotional", 0)])],
    ids=["still good", "expired meanwhile"],
)
def test_a_void_invoice_gives_back_the_credit_it_used(clock, sandbox, days, then):
    account, zone = customer()
    submit(wish(account, zone))
    renews_at = Invoice.objects.get(account=account).period_end
    given(account, 10_00, kind=Credit.Kind.PROMOTIONAL, expires_at=renews_at + timedelta(days=days))
    card = account.payment_methods.get().processor_id
    sandbox.post("/_sandbox/payment_methods", {"payment_method": card, "outcome": "insufficient_funds"})
    list(pass_time(renews_at + timedelta(days=3)))
    renewal = Invoice.objects.get(account=account, reason="cycle")
    assert (renewal.status, renewal.total_minor) == ("open", 15_00)

    resolve.void(renewal.pk, actor="agent:a", now=business.now())
    let_pass(hours=1)  # the news of it changes nothing more

    renewal.refresh_from_db()
    assert renewal.status == "void"
    credits_now = Credit.objects.filter(account=account).order_by("kind")
    assert list(credits_now.values_list("kind", "remaining_minor")) == then
    assert balance_minor(account.pk, Book.REVENUE, currency="usd") == -25_00  # of the purchase
    assert balance_minor(account.pk, Book.REFUND_DUE, currency="usd") == 0
    assert owed_minor(account.pk, currency="usd") == -10_00
    assert nothing_differs(account)
