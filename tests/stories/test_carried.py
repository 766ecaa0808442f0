"""Cents too few to charge: carried past a change that is paid at once, and collected with the renewal."""

from datetime import timedelta

import pytest

from billing.changes_calculator.submit import submit
from billing.invoicing.books import Book
from billing.invoicing.ledger import balance_minor, owed_minor
from billing.models.invoices import BillingSchedule, Invoice, PaymentAttempt
from billing.models.ledger import LedgerEntry
from billing.models.objectproducts import Ope
from config import clock as business
from config.passing_time import pass_time
from tests import invariants
from tests.billing.people import customer, more, wish
from tests.money import nothing_differs

pytestmark = pytest.mark.usefixtures("story", "catalog", "live_server_url")


def with_so_much_left(clock, of_period):
    """An account that pays Pro, when this fraction of its period is left."""
    start = clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    end = BillingSchedule.objects.get(account=account).next_at
    clock.freeze(end - (end - start.replace(microsecond=0)) * of_period)
    return account, zone, end


def posted(invoice):
    entries = LedgerEntry.objects.filter(transaction__invoice=invoice).order_by("pk")
    return list(entries.values_list("book", "amount_minor"))


# 30 more page rules are 10.00 a month; what they cost for the rest of the period, of which this fraction is left.
AT_THE_MINIMUM = [
    # left    costs   charged   carried
    (0.0490,    49,         0,       49),
    (0.0500,    50,        50,        0),
]  # fmt: skip


@pytest.mark.parametrize(("left", "costs", "charged", "carried"), AT_THE_MINIMUM)
def test_less_than_the_minimum_is_paid_at_once_and_carried_to_the_renewal(
    clock, sandbox, left, costs, charged, carried
):
    account, zone, end = with_so_much_left(clock, left)

    submit(wish(account, zone, components=more("page_rules", 30)))

    change = Invoice.objects.get(account=account, reason="change")
    assert (change.status, change.total_minor, change.paid_minor) == ("paid", costs, charged)
    assert (change.carried_minor, change.remaining_minor) == (-carried, 0)
    assert Ope.objects.get(object_id=zone.pk, product="page_rules").current.value == 30
    assert balance_minor(account.pk, Book.CARRIED_FORWARD, currency="usd") == carried
    assert owed_minor(account.pk, currency="usd") == 0
    assert sum(amount for _, amount in posted(change)) == 0

    list(pass_time(end + timedelta(hours=3)))

    renewal = Invoice.objects.get(account=account, reason="cycle")
    assert (renewal.status, renewal.total_minor, renewal.carried_minor) == ("paid", 35_00, carried)
    assert renewal.paid_minor == 35_00 + carried
    attempt = PaymentAttempt.objects.get(invoice=renewal)
    assert (attempt.status, attempt.amount_minor, attempt.charge.amount_minor) == (
        "succeeded",
        35_00 + carried,
        35_00 + carried,
    )
    moved = [
        ("receivable", 35_00 + carried),
        ("revenue", -35_00),
        *([("carried_forward", -carried)] if carried else []),
        ("cash_stripe", 35_00 + carried),
        ("receivable", -35_00 - carried),
    ]
    assert posted(renewal) == moved
    assert balance_minor(account.pk, Book.CARRIED_FORWARD, currency="usd") == 0
    assert balance_minor(account.pk, Book.CASH_STRIPE, currency="usd") == 25_00 + costs + 35_00
    assert balance_minor(account.pk, Book.REVENUE, currency="usd") == -(25_00 + costs + 35_00)
    assert owed_minor(account.pk, currency="usd") == 0
    assert business.now() >= end
    assert nothing_differs(account)
    invariants.assert_hold(sandbox, account)
