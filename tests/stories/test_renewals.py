"""Months that pass: what is bought renews on its day, is billed and paid once, and never loses its anchor."""

import calendar
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from billing.add_zone import add_zone
from billing.changes_calculator.submit import submit
from billing.invoicing.books import Book
from billing.invoicing.ledger import balance_minor
from billing.models.invoices import BillingSchedule, Invoice, PaymentAttempt
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from config.passing_time import pass_time
from entitlements.models import Entitlement
from tests.billing.people import customer, wish

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def at(year, month, day):
    return datetime(year, month, day, 10, tzinfo=UTC)


def next_year(clock):
    return clock.now().year + 1


def leap_year(clock):
    return next(y for y in range(clock.now().year + 1, 2200) if y % 4 == 0)


def two_clocks(start):
    """An account that buys Pro monthly for one zone and Pro yearly for another at the same moment."""
    list(pass_time(start))
    account, monthly = customer()
    yearly = add_zone(account.pk, name=f"y-{monthly.name}", actor="system:tests", now=start)
    submit(wish(account, monthly))
    submit(wish(account, yearly, interval_name="yearly"))
    return account, monthly, yearly


def billed(account):
    """Every invoice as (day it was made, interval, what it is for, status, total, paid), oldest first."""
    rows = (
        Invoice.objects.filter(account=account).select_related("schedule").order_by("created_at", "schedule__interval")
    )
    return [
        (i.created_at.strftime("%Y-%m-%d"), i.schedule.interval, i.reason, i.status, i.total_minor, i.paid_minor)
        for i in rows
    ]


def table(text, first_year):
    """
    Rows `day interval reason`, with the year counted from the first: 0-01-31 is 31 January of the first year, and
    0-02-end the last day of that February.
    """
    prices = {"month": 2500, "year": 24000}
    rows = []
    for line in text.split("\n"):
        if line.strip():
            day, interval, reason = line.split()
            nth, rest = day.split("-", 1)
            year, price = first_year + int(nth), prices[interval]
            rest = rest.replace("end", str(calendar.monthrange(year, 2)[1]))
            rows.append((f"{year}-{rest}", interval, reason, "paid", price, price))
    return rows


THIRTEEN_MONTHS_FROM_31_JANUARY = """
    0-01-31 month purchase
    0-01-31 year  purchase
    0-02-end month cycle
    0-03-31 month cycle
    0-04-30 month cycle
    0-05-31 month cycle
    0-06-30 month cycle
    0-07-31 month cycle
    0-08-31 month cycle
    0-09-30 month cycle
    0-10-31 month cycle
    0-11-30 month cycle
    0-12-31 month cycle
    1-01-31 month cycle
    1-01-31 year  cycle
    1-02-end month cycle
"""

FIVE_YEARS_FROM_29_FEBRUARY = """
    0-02-29 year purchase
    1-02-28 year cycle
    2-02-28 year cycle
    3-02-28 year cycle
    4-02-29 year cycle
    5-02-28 year cycle
"""


def test_thirteen_months_from_31_january(clock):
    year = next_year(clock)
    account, monthly, yearly = two_clocks(at(year, 1, 31))

    call_command("advance_clock", f"--to={at(year + 1, 3, 1).isoformat()}", "--json", stdout=StringIO())

    assert billed(account) == table(THIRTEEN_MONTHS_FROM_31_JANUARY, year)
    ends = {ope.object_id: ope.current.ends_at for ope in Ope.objects.filter(account=account, product="zone_plans")}
    assert ends == {monthly.pk: at(year + 1, 3, 31), yearly.pk: at(year + 2, 1, 31)}
    schedules = BillingSchedule.objects.filter(account=account)
    assert {(s.interval, s.anchor_at, s.next_at) for s in schedules} == {
        ("month", at(year, 1, 31), at(year + 1, 3, 31)),
        ("year", at(year, 1, 31), at(year + 2, 1, 31)),
    }
    paid_minor = 14 * 2500 + 2 * 24000
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 0
    assert balance_minor(account.pk, Book.CASH_STRIPE, currency="usd") == paid_minor
    assert balance_minor(account.pk, Book.REVENUE, currency="usd") == -paid_minor
    assert set(PaymentAttempt.objects.filter(account=account).values_list("status", flat=True)) == {"succeeded"}
    granted = Entitlement.objects.filter(account=account, feature="rules.page_rules")
    assert {(e.zone_id, e.value, e.valid_until) for e in granted} == {
        (monthly.pk, 20, at(year + 1, 3, 31)),
        (yearly.pk, 20, at(year + 2, 1, 31)),
    }


def test_a_yearly_plan_bought_on_29_february_comes_back_to_its_day(clock):
    year = leap_year(clock)
    list(pass_time(at(year, 2, 29)))
    account, zone = customer()
    submit(wish(account, zone, interval_name="yearly"))

    list(pass_time(at(year + 5, 3, 1)))

    assert billed(account) == table(FIVE_YEARS_FROM_29_FEBRUARY, year)
    assert BillingSchedule.objects.get(account=account).next_at == at(year + 6, 2, 28)


def test_a_card_given_with_the_client_secret_pays_the_renewals_too(clock, sandbox):
    clock.freeze()
    account, zone = customer(card=None)
    waiting = submit(wish(account, zone))

    sandbox.post(
        "/_sandbox/authenticate", {"client_secret": waiting.client_secret, "outcome": "complete", "card": "visa"}
    )
    list(pass_time(clock.now()))
    end = BillingSchedule.objects.get(account=account).next_at
    list(pass_time(end + timedelta(hours=3)))

    assert [(reason, status) for _, _, reason, status, _, _ in billed(account)] == [
        ("purchase", "paid"),
        ("cycle", "paid"),
    ]
    assert PaymentMethod.objects.get(account=account).is_default
