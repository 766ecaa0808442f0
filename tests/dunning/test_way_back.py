"""A life of debt through the sandbox: the first charge and five retries in five days, the end, and the way back."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from accounts.models import Customer, JournalEntry, Notice, SubsAccount
from billing.invoicing.books import Book
from billing.invoicing.ledger import balance_minor
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.reversals import CreditNote
from billing.payments.attempts import NOT_ATTEMPTED
from billing.payments.pay_bad_debt import pay_bad_debt
from config import clock as business
from config.panel.cells import money
from config.passing_time import pass_time
from dunning.forgive import NothingOwed, forgive_debt
from dunning.models.actions import DunningAction
from dunning.models.conclusions import SubsDunning
from dunning.recompute import examine
from tests.admin.conftest import signed_in
from tests.dunning.acting import owing, turn

pytestmark = pytest.mark.usefixtures("story", "catalog", "live_server_url")


def let_pass(**duration):
    list(pass_time(business.now() + timedelta(**duration)))


def told(account):
    return list(Notice.objects.filter(account=account).order_by("created_at", "level").values_list("kind", "level"))


def page_of(account):
    agent = signed_in(User.objects.get_or_create(username="ann of dunning", is_staff=True, is_superuser=True)[0])
    return agent.get(reverse("admin:dunning_subsdunning_change", args=[account.pk])).content.decode()


def charges_of(invoice):
    """Its attempts but those of which the processor said later that it never heard of them."""
    return invoice.attempts.exclude(code=NOT_ATTEMPTED)


def in_bad_debt(sandbox):
    account, invoice = owing(sandbox)
    let_pass(days=6)
    return account, invoice


def test_bad_debt_by_time_alone_then_paid_and_back_in_good_standing(clock, sandbox):
    clock.freeze()
    account, invoice = in_bad_debt(sandbox)
    invoice.refresh_from_db()
    profile = SubsAccount.objects.get(account=account)
    schedule = BillingSchedule.objects.get(account=account)
    days = (invoice.period_end.date() - invoice.period_start.date()).days
    note = CreditNote.objects.get(invoice=invoice)
    assert SubsDunning.objects.get(account=account).status == "bad_debt"
    assert (profile.has_bad_debt, profile.banned_at is not None, invoice.status) == (True, True, "uncollectible")
    assert invoice.attempts.filter(status="failed").count() == 6
    assert note.total_minor == (2 * invoice.total_minor * (days - 5) + days) // (2 * days)
    assert told(account) == [
        ("payment_failed", 1),
        ("payment_failed_warning", 2),
        ("payment_failed_warning", 3),
        ("payment_failed_warning", 4),
        ("payment_failed_last_warning", 5),
        ("bad_debt", 6),
    ]
    shown = sandbox.get(f"/v1/invoices/{invoice.stripe_invoice_id}")
    assert (shown["status"], shown["amount_remaining"]) == ("uncollectible", invoice.remaining_minor)
    assert shown["metadata"]["bad_debt_amount"] == str(invoice.remaining_minor)
    customer_id = Customer.objects.get(account=account).stripe_customer_id
    assert sandbox.get(f"/v1/customers/{customer_id}")["metadata"]["bad_debt"] == "true"
    assert sandbox.get(f"/v1/subscriptions/{schedule.stripe_subscription_id}")["status"] == "canceled"
    assert not DunningAction.objects.filter(account=account, done_at__isnull=True).exists()
    honest_minor = invoice.remaining_minor
    expected = {str(invoice), "given up", money(honest_minor, "usd"), "insufficient_funds", "retries are exhausted"}
    assert {text for text in expected if text not in page_of(account)} == set()

    turn(sandbox, account, "ok")
    pay_bad_debt(account.pk, now=business.now())
    let_pass(seconds=5)

    profile.refresh_from_db()
    invoice.refresh_from_db()
    assert (SubsDunning.objects.get(account=account).status, profile.has_bad_debt, profile.banned_at) == (
        "clear", False, None,
    )  # fmt: skip
    assert (invoice.status, invoice.paid_minor) == ("paid", honest_minor)
    assert sandbox.get(f"/v1/customers/{customer_id}")["metadata"]["bad_debt"] == "false"
    assert sandbox.get(f"/v1/invoices/{invoice.stripe_invoice_id}")["metadata"]["bad_debt_paid"] == "true"
    assert told(account)[-1] == ("debt_cleared", 0)
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 0
    assert examine([account.pk], now=business.now())[0].needed == ()


def test_debt_is_forgiven_as_a_fact_and_the_restrictions_go_by_themselves(clock, sandbox):
    clock.freeze()
    account, invoice = in_bad_debt(sandbox)
    invoice.refresh_from_db()
    lost_minor = invoice.remaining_minor

    forgive_debt(account.pk, actor="agent:finance", reason="a good customer", now=business.now())
    let_pass(seconds=5)

    profile = SubsAccount.objects.get(account=account)
    assert (profile.has_bad_debt, profile.banned_at, SubsDunning.objects.get(account=account).status) == (
        False, None, "clear",
    )  # fmt: skip
    assert balance_minor(account.pk, Book.WRITTEN_OFF, currency="usd") == lost_minor
    assert JournalEntry.objects.filter(account=account, kind="invoice.act_done", actor="agent:finance").exists()
    with pytest.raises(NothingOwed):
        forgive_debt(account.pk, actor="agent:finance", now=business.now())


def test_an_hour_without_the_processor_ages_nobody_and_charges_nobody_twice(clock, sandbox):
    clock.freeze()
    account, invoice = owing(sandbox)
    let_pass(days=4, hours=23, minutes=50)
    before = charges_of(invoice).count()
    sandbox.post("/_sandbox/faults", {"kind": "outage", "minutes": 60})
    let_pass(minutes=55)
    meanwhile = SubsDunning.objects.get(account=account).status
    turn(sandbox, account, "ok")
    let_pass(hours=3)

    invoice.refresh_from_db()
    assert (meanwhile, SubsDunning.objects.get(account=account).status, invoice.status) == ("retrying", "clear", "paid")
    customer_id = Customer.objects.get(account=account).stripe_customer_id
    charged = sandbox.get(f"/v1/charges?customer={customer_id}&limit=100")["data"]
    assert [charge["amount"] for charge in charged if charge["paid"]] == [invoice.total_minor] * 2
    assert charges_of(invoice).count() == before + 1
    assert not Invoice.objects.filter(account=account, status="uncollectible").exists()
