"""The internal clock: the invoices it makes of what contracts hold, however often and by however many it is run."""

import json
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from accounts.lock import account_lock
from accounts.models import JournalEntry
from billing.invoicing import clock as billing_clock
from billing.invoicing import credits as customer_credits
from billing.invoicing.internal_clock import bill_batch, bill_due, bill_until
from billing.invoicing.ledger import Book, balance_minor
from billing.models.credits import Credit, CreditUse
from billing.models.invoices import BillingSchedule, BillingScheduleDue, Invoice, InvoiceLine
from billing.models.ledger import LedgerEntry
from billing.models.objectproducts import Ope
from tests.admin.world import waiting_change
from tests.counting import count_statements
from tests.factories import OpeFactory, ZoneFactory, clear, phase_of
from tests.guard import unguarded
from tests.money import holds

START = datetime(2026, 1, 31, 10, tzinfo=UTC)


def contract(*amounts, interval="month", since=START, account=None, **fields):
    """An account whose contract has a priced plan per amount, in minor units, each on a zone of its own."""
    account = account or clear()
    for amount_minor in amounts:
        phase = phase_of(
            "business",
            unit_amount_minor=amount_minor,
            interval=interval,
            starts_at=since,
            ends_at=None,
            stripe_price_id="",
            **fields,
        )
        OpeFactory.create(zone=ZoneFactory.create(account=account), phase=phase, license_source_id="CONTRACT:CONTRACT")
    return account


def run(until, **options):
    return list(bill_until(until, now=until, **options))


def billed(account):
    rows = Invoice.objects.filter(account=account).order_by("period_start", "period_end")
    return [(i.period_start, i.period_end, i.total_minor, i.status, i.reason) for i in rows]


def at(month, day, year=2026):
    return datetime(year, month, day, 10, tzinfo=UTC)


@pytest.mark.django_db
def test_each_period_is_billed_in_advance_from_the_contracts_day():
    account = contract(300_00, 12_50)

    run(at(4, 1))

    assert billed(account) == [
        (at(1, 31), at(2, 28), 312_50, "open", "cycle"),
        (at(2, 28), at(3, 31), 312_50, "open", "cycle"),
        (at(3, 31), at(4, 30), 312_50, "open", "cycle"),
    ]
    lines = InvoiceLine.objects.filter(invoice__account=account, period_start=at(3, 31)).order_by("amount_minor")
    assert [(x.amount_minor, x.quantity, x.in_advance, x.period_end) for x in lines] == [
        (12_50, 1, True, at(4, 30)),
        (300_00, 1, True, at(4, 30)),
    ]
    assert all(line.ope_id for line in lines)
    numbers = list(Invoice.objects.filter(account=account).values_list("number", flat=True))
    assert (len(set(numbers)), all(n.startswith("PG-") and len(n) == 12 for n in numbers)) == (3, True)
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 3 * 312_50
    assert balance_minor(account.pk, Book.REVENUE, currency="usd") == -3 * 312_50
    entries = JournalEntry.objects.filter(account=account, kind="invoice.recorded")
    assert [entry.after["total_minor"] for entry in entries] == [312_50] * 3
    assert BillingSchedule.objects.get(account=account).next_at == at(4, 30)


@pytest.mark.django_db
def test_a_second_run_changes_nothing():
    account = contract(100_00)
    run(at(4, 1))
    before = (billed(account), LedgerEntry.objects.count(), JournalEntry.objects.count())

    assert run(at(4, 1)) == []
    assert bill_due(now=at(4, 1)) == 0

    assert (billed(account), LedgerEntry.objects.count(), JournalEntry.objects.count()) == before


@pytest.mark.django_db
def test_both_clocks_bill_what_is_theirs():
    account = contract(10_00)
    contract(999_00, interval="year", account=account, since=at(2, 15))

    run(at(3, 1))

    assert billed(account) == [
        (at(1, 31), at(2, 28), 10_00, "open", "cycle"),
        (at(2, 15), at(2, 15, 2027), 999_00, "open", "cycle"),
        (at(2, 28), at(3, 31), 10_00, "open", "cycle"),
    ]


@pytest.mark.django_db
def test_what_changes_at_a_period_counts_from_then_and_what_ends_stops_the_clock():
    account = contract(10_00)
    ope = account.opes.get(product="zone_plans")
    later = phase_of("pro", unit_amount_minor=7_00, starts_at=at(2, 28), ends_at=at(3, 31), stripe_price_id="")
    with unguarded():
        Ope.objects.filter(pk=ope.pk).update(value_phases=[ope.value_phases[0], later.to_json()])

    run(at(6, 1))

    assert [(row[0], row[2]) for row in billed(account)] == [(at(1, 31), 10_00), (at(2, 28), 7_00)]
    schedule = BillingSchedule.objects.get(account=account)
    assert schedule.ended_at is not None
    assert not BillingScheduleDue.objects.filter(schedule=schedule).exists()


@pytest.mark.django_db
def test_what_is_granted_for_nothing_or_billed_by_stripe_is_none_of_its():
    granted, bought = contract(0), clear()
    OpeFactory.create(
        zone=ZoneFactory.create(account=bought), phase=phase_of("pro", starts_at=START), license_source_id="sub_1:si_1"
    )

    run(at(3, 1))

    assert (billed(granted), billed(bought)) == ([], [])
    assert not BillingSchedule.objects.filter(account__in=[granted, bought]).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("accounts", [1, 40])
def test_the_number_of_statements_does_not_grow(accounts):
    for _ in range(accounts):
        contract(5_00, 6_00)
    billing_clock.start_contract_clocks(now=START)

    with count_statements() as statements:
        billed_batch = bill_batch(until=START, now=START, limit=1000)

    assert (billed_batch.schedules, billed_batch.invoices) == (accounts, accounts)
    assert len(statements) <= 9, statements


def give(account, *amounts, expires=None, currency="usd"):
    """Grant credits of these amounts that expire so many days after the start, each later than the one before."""
    with account_lock(account.pk):
        return [
            customer_credits.grant(
                account.pk,
                customer_credits.Grant(
                    kind=Credit.Kind.PROMOTIONAL,
                    amount_minor=amount_minor,
                    currency=currency,
                    source=f"clock:{account.pk}:{currency}:{amount_minor}:{expires}:{number}",
                    expires_at=START + timedelta(days=expires + number) if expires is not None else None,
                ),
                actor="agent:a",
                now=START,
            )
            for number, amount_minor in enumerate(amounts)
        ]


def left(*given):
    return [Credit.objects.get(pk=credit.pk).remaining_minor for credit in given]


CREDITED = [
    # what there is, by expiry in days      to be billed   billed             left of each
    ([(None, 10_00)],                       100_00,        [(90_00, "open")], [0]),
    ([(None, 100_00)],                      100_00,        [(0, "paid")],     [0]),
    ([(None, 99_99)],                       100_00,        [(1, "open")],     [0]),
    ([(None, 130_00)],                      100_00,        [(0, "paid")],     [30_00]),
    ([(None, 70_00), (9, 70_00)],           100_00,        [(0, "paid")],     [40_00, 0]),
    ([(20, 70_00), (9, 70_00)],             100_00,        [(0, "paid")],     [40_00, 0]),
    ([(0, 70_00)],                          100_00,        [(100_00, "open")], [70_00]),
    ([],                                    100_00,        [(100_00, "open")], []),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("there_is", "price_minor", "bill", "remains"), CREDITED)
def test_credit_pays_first_the_oldest_expiry_first_and_never_more_than_it_costs(there_is, price_minor, bill, remains):
    account = contract(price_minor - 1_00, 1_00)
    given = [give(account, amount_minor, expires=days)[0] for days, amount_minor in there_is]

    for _ in range(2):
        run(START)

    invoice = Invoice.objects.get(account=account)
    assert [(invoice.total_minor, invoice.status)] == bill
    assert left(*given) == remains
    spent_minor = price_minor - invoice.total_minor
    lines = invoice.lines.filter(description="Credit").values_list("amount_minor", "in_advance")
    assert list(lines) == ([(-spent_minor, True)] if spent_minor else [])
    used = CreditUse.objects.filter(invoice=invoice, status="used").values_list("amount_minor", flat=True)
    told = JournalEntry.objects.filter(account=account, kind="credit.used")
    assert sum(used) == sum(entry.after["amount_minor"] for entry in told) == spent_minor
    recorded = JournalEntry.objects.get(account=account, kind="invoice.recorded").after
    assert (recorded["total_minor"], recorded["status"]) == bill[0]
    assert balance_minor(account.pk, Book.REVENUE, currency="usd") == -price_minor
    holds(account)


@pytest.mark.django_db
def test_two_invoices_of_one_account_share_its_credit_and_other_money_and_other_peoples_pay_nothing():
    account, other = contract(10_00), contract(10_00)
    contract(999_00, interval="year", account=account)
    (given,), (foreign,) = give(account, 25_00), give(account, 25_00, currency="eur")

    run(START)

    totals = sorted(Invoice.objects.filter(account=account).values_list("total_minor", flat=True))
    assert sum(totals) == 10_00 + 999_00 - 25_00
    assert left(given, foreign) == [0, 25_00]
    assert Invoice.objects.get(account=other).total_minor == 10_00
    holds(account)


@pytest.mark.django_db
def test_what_a_renewal_of_ours_used_is_not_taken_back_and_what_waits_elsewhere_is_not_used():
    account = contract(100_00)
    used, waiting = give(account, 130_00), give(account, 50_00)
    with unguarded(), account_lock(account.pk):
        workflow = waiting_change(account, account.zones.get())
        customer_credits.reserve(account.pk, [(waiting[0].pk, 50_00)], workflow_id=workflow.pk, now=START)

    run(START)

    assert customer_credits.take_back(used[0].pk, actor="agent:a", now=START) == 30_00
    assert left(*used, *waiting) == [0, 50_00]


@pytest.mark.django_db
@pytest.mark.parametrize("accounts", [1, 40])
def test_the_number_of_statements_does_not_grow_with_credit_either(accounts):
    billed = [contract(5_00, 6_00) for _ in range(accounts)]
    for account in billed:
        give(account, 1_00, 2_00)
    billing_clock.start_contract_clocks(now=START)

    with count_statements() as statements:
        bill_batch(until=START, now=START, limit=1000)

    assert [each.total_minor for each in Invoice.objects.filter(account__in=billed)] == [8_00] * accounts
    assert len(statements) <= 12, statements


@pytest.mark.django_db
def test_the_command_says_what_it_would_do_and_does_it(monkeypatch):
    account = contract(25_00)
    billing_clock.start_contract_clocks(now=START)

    def said(*arguments):
        output = StringIO()
        call_command("run_billing", *arguments, "--json", stdout=output)
        return json.loads(output.getvalue())

    would = said("--until", "2026-02-01", "--dry-run")
    assert (would["due"], would["totals_minor"], would["invoices"]) == (1, {"usd": 25_00}, 0)
    assert billed(account) == []
    assert said("--until", "2026-02-01")["invoices"] == 1
    assert said("--until", "2026-02-01") == would | {"dry_run": False, "due": 0, "totals_minor": {}}
    with pytest.raises(CommandError, match="not before"):
        call_command("run_billing", "--until", "2999-01-01")


def test_two_runs_at_once_bill_each_period_once(story):
    accounts = [contract(5_00) for _ in range(30)]
    billing_clock.start_contract_clocks(now=START)
    failures = []

    def work():
        try:
            while bill_batch(until=at(3, 1), now=at(3, 1), limit=7).schedules:
                continue
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run(at(3, 1))

    assert failures == []
    made = Invoice.objects.filter(account__in=accounts)
    assert {(i.account_id, i.period_start) for i in made} == {
        (account.pk, start) for account in accounts for start in (at(1, 31), at(2, 28))
    }
    assert made.count() == 60
    assert balance_minor(accounts[0].pk, Book.RECEIVABLE, currency="usd") == 10_00


@pytest.mark.parametrize("boundary", ["record_cycles", "pay_by_credit", "post_finalized", "move_internal", "emit"])
def test_a_run_that_breaks_anywhere_leaves_whole_periods(story, monkeypatch, boundary):
    from accounts import journal
    from billing.invoicing import credit_cycles, ledger, record_cycles

    account = contract(7_00)
    given = give(account, 2_00)
    billing_clock.start_contract_clocks(now=START)
    module = {
        "record_cycles": record_cycles,
        "pay_by_credit": credit_cycles,
        "post_finalized": ledger,
        "move_internal": billing_clock,
        "emit": journal,
    }[boundary]
    real = getattr(module, boundary)

    def done_and_dead(*args, **kwargs):
        real(*args, **kwargs)
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(module, boundary, done_and_dead)
        with pytest.raises(SystemExit):
            bill_batch(until=START, now=START, limit=100)
    assert (billed(account), left(*given)) == ([], [2_00])

    connection.close()
    run(START + timedelta(minutes=1))

    assert ([row[2] for row in billed(account)], left(*given)) == ([5_00], [0])
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 5_00
