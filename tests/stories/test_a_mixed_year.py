"""A year of an account that does everything: our mirror is Stripe's own numbers, and shadow billing finds nothing."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from billing.add_zone import add_zone
from billing.changes_calculator.submit import submit
from billing.invoicing.ledger import Book, balance_minor
from billing.models.invoices import Invoice, PaymentAttempt
from billing.models.methods import PaymentMethod
from billing.models.shadow import ShadowBill
from billing.payments.pay_invoice import pay_invoice
from config.passing_time import pass_time
from tests.billing.people import customer, more, wish
from tests.invariants import assert_hold

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def test_a_year_of_a_mixed_account(clock, sandbox):
    start = clock.freeze()
    account, first = customer()
    second = add_zone(account.pk, name=f"second-{first.name}", actor="system:tests", now=start)
    third = add_zone(account.pk, name=f"third-{first.name}", actor="system:tests", now=start)
    card = PaymentMethod.objects.get(account=account)

    def on(days):
        list(pass_time(start + timedelta(days=days)))

    def card_is(outcome):
        sandbox.post("/_sandbox/payment_methods", {"payment_method": card.processor_id, "outcome": outcome})

    submit(wish(account, first, components=more("page_rules", 25)))
    on(9)
    submit(wish(account, second, interval_name="yearly"))
    on(20)
    submit(wish(account, first, components=more("page_rules", 45)))
    on(50)
    submit(wish(account, third, plan_name="business"))
    on(51)
    assert_hold(sandbox, account)
    on(75)
    submit(wish(account, first, components=more("page_rules", 30)))
    on(100)
    for days in (130, 200):
        on(days)
        card_is("insufficient_funds")
        on(days + 32)
        (unpaid,) = Invoice.objects.filter(account=account, status="open")
        card_is("ok")
        assert pay_invoice(account.pk, invoice_id=unpaid.pk, now=clock.now()).is_paid
        list(pass_time(clock.now()))
        assert_hold(sandbox, account)
    on(245)
    submit(wish(account, third, plan_name="pro"))
    on(300)
    submit(wish(account, second, plan_name="business", interval_name="yearly"))
    on(380)

    assert_hold(sandbox, account)
    invoices = Invoice.objects.filter(account=account)
    reasons = {reason: invoices.filter(reason=reason).count() for reason in ("purchase", "change", "cycle")}
    assert (reasons["purchase"], reasons["change"], reasons["cycle"] >= 13) == (2, 3, True), reasons
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 0
    failed = PaymentAttempt.objects.filter(account=account, status="failed")
    assert [attempt.code for attempt in failed] == ["insufficient_funds"] * 2
    call_command("shadow_billing", "--json", stdout=StringIO())
    mine = ShadowBill.objects.filter(invoice__account=account)
    assert (mine.filter(compared_at__isnull=True).count(), mine.count()) == (0, reasons["cycle"])
    assert json.dumps([bill.differences for bill in mine if bill.differences]) == "[]"
