"""The same months with something going wrong for a part of them: the same end, whatever it is that goes wrong."""

import calendar
from datetime import UTC, datetime

import pytest

from billing.changes_calculator.submit import submit
from billing.invoicing.books import Book
from billing.invoicing.ledger import balance_minor
from billing.models.invoices import BillingSchedule, Invoice, PaymentAttempt
from billing.models.objectproducts import Ope
from config.passing_time import pass_time
from tests.billing.people import customer, wish
from tests.invariants import assert_hold
from tests.stories.test_renewals import (
    THIRTEEN_MONTHS_FROM_31_JANUARY,
    billed,
    next_year,
    table,
    two_clocks,
)

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

FAULTS = [
    {"kind": "rate_limit", "count": 4},
    {"kind": "lock_timeout", "count": 4},
    {"kind": "server_error", "count": 4},
    {"kind": "slow", "count": 3, "seconds": 0.1},
    {"kind": "time_out", "count": 3, "seconds": 0.1},
    {"kind": "cut", "count": 3},
    {"kind": "cut", "count": 1, "operation": "Invoice.pay"},
    {"kind": "outage", "minutes": 300},
    {"kind": "webhook_duplicated", "count": 0},
    {"kind": "webhook_shuffled", "count": 0, "seconds": 0.2},
    {"kind": "webhook_delayed", "count": 0, "seconds": 1800},
    {"kind": "webhook_dropped", "count": 0},
    {"kind": "webhook_forged", "count": 0},
]


def at(year, month, day, hour=10):
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.fixture
def faults(sandbox):
    """Plan faults; none outlives its test."""
    yield lambda fault: sandbox.post("/_sandbox/faults", fault)
    sandbox.delete("/_sandbox/faults")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(str(part) for part in fault.values()))
def test_four_months_end_the_same(clock, sandbox, faults, fault):
    year = clock.now().year + 1
    february = calendar.monthrange(year, 2)[1]
    list(pass_time(at(year, 1, 31)))
    account, zone = customer()
    submit(wish(account, zone))
    list(pass_time(at(year, 2, february, hour=9)))

    faults(fault)
    list(pass_time(at(year, 3, 31, hour=12)))
    sandbox.delete("/_sandbox/faults")
    list(pass_time(at(year, 5, 1)))

    invoices = Invoice.objects.filter(account=account).order_by("created_at")
    assert [(i.created_at.strftime("%m-%d"), i.reason, i.status, i.total_minor, i.paid_minor) for i in invoices] == [
        ("01-31", "purchase", "paid", 2500, 2500),
        (f"02-{february}", "cycle", "paid", 2500, 2500),
        ("03-31", "cycle", "paid", 2500, 2500),
        ("04-30", "cycle", "paid", 2500, 2500),
    ]
    assert Ope.objects.get(object_id=zone.pk, product="zone_plans").current.ends_at == at(year, 5, 31)
    assert BillingSchedule.objects.get(account=account).next_at == at(year, 5, 31)
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 0
    assert balance_minor(account.pk, Book.CASH_STRIPE, currency="usd") == 4 * 2500
    assert PaymentAttempt.objects.filter(account=account, status="succeeded").count() == 4


def thirteen_months_under(fault, *, clock, sandbox):
    """Both clocks, with the fault on over two monthly renewals, and a year later over the yearly one and a monthly."""
    year = next_year(clock)
    account, monthly, yearly = two_clocks(at(year, 1, 31))
    february = calendar.monthrange(year, 2)[1]
    for begins, ends in (
        (at(year, 2, february, 9), at(year, 3, 31, 12)),
        (at(year + 1, 1, 31, 9), at(year + 1, 1, 31, 22)),
    ):
        list(pass_time(begins))
        sandbox.post("/_sandbox/faults", fault)
        list(pass_time(ends))
        sandbox.delete("/_sandbox/faults")
    list(pass_time(at(year + 1, 3, 1)))

    assert billed(account) == table(THIRTEEN_MONTHS_FROM_31_JANUARY, year)
    assert_hold(sandbox, account)
    for zone in (monthly, yearly):  # so that the next one's years are its own
        submit(wish(account, zone, "free"))


# Done but not heard of, and news that never comes. All of FAULTS in `make soak`.
@pytest.mark.parametrize("fault", [FAULTS[6], FAULTS[11]], ids=lambda fault: fault["kind"])
@pytest.mark.usefixtures("faults")
def test_thirteen_months_of_both_clocks_end_the_same(clock, sandbox, fault):
    thirteen_months_under(fault, clock=clock, sandbox=sandbox)
