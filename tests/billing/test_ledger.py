"""What the database itself refuses to let happen to the ledger."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.lock import account_lock
from billing.changes_calculator.submit import submit
from billing.invoicing import ledger, postings
from billing.invoicing.books import Book
from billing.models.invoices import Invoice
from billing.models.ledger import LedgerEntry, LedgerTransaction
from tests.billing.people import customer, wish
from tests.guard import unguarded

pytestmark = pytest.mark.usefixtures("story", "catalog")


@pytest.fixture
def invoice():
    account, zone = customer()
    submit(wish(account, zone))
    return Invoice.objects.get(account=account)


def entries(invoice):
    return list(
        LedgerEntry.objects.filter(transaction__invoice=invoice).order_by("pk").values_list("book", "amount_minor")
    )


def test_a_paid_purchase_is_two_facts_that_sum_to_zero(invoice):
    assert entries(invoice) == [
        ("receivable", 2500), ("revenue", -2500), ("cash_stripe", 2500), ("receivable", -2500),
    ]  # fmt: skip


def test_posting_the_same_fact_again_changes_nothing(invoice):
    before = entries(invoice)

    with account_lock(invoice.account_id), unguarded():
        facts = [
            postings.finalized(invoice.pk, subtotal_minor=2500, tax_minor=0, carried_minor=0),
            postings.paid(invoice.pk, paid_minor=2500),
        ]
        ledger.post(invoice, facts, at=invoice.paid_at)

    assert entries(invoice) == before


CARRIED = [
    # total   carried   owed now   kept for later
    (   49,     -49,         0,        49),
    (   50,       0,        50,         0),
    (   30,     -30,         0,        30),
    (2_500,      49,     2_549,       -49),
]  # fmt: skip


@pytest.mark.parametrize(("total", "carried", "owed", "kept"), CARRIED)
def test_carried_cents_are_owed_when_they_are_asked_for(total, carried, owed, kept):
    sold = postings.finalized("in", subtotal_minor=total - 5, tax_minor=5, carried_minor=carried)
    again = postings.rebilled("in", total_minor=total, carried_minor=carried)

    for posting in (sold, again):
        moved = dict(posting.amounts)
        assert (moved[Book.RECEIVABLE], moved[Book.CARRIED_FORWARD]) == (owed, kept)


UNBALANCED = [
    # amounts in one statement           refused
    ((100, -100),                        False),
    ((100, -99),                         True),
    ((100,),                             True),
    ((100, -60, -40),                    False),
    ((100, -60, -41),                    True),
]  # fmt: skip


@pytest.mark.parametrize(("amounts", "refused"), UNBALANCED)
def test_entries_that_do_not_sum_to_zero_are_refused(invoice, amounts, refused):
    fact = LedgerTransaction(account=invoice.account, kind="paid", posted_at=invoice.paid_at)
    fact.source = f"test:{fact.pk}"
    rows = [
        LedgerEntry(transaction=fact, account=invoice.account, book="revenue", amount_minor=amount, currency="usd")
        for amount in amounts
    ]

    def insert():
        with transaction.atomic():
            fact.save(force_insert=True)
            LedgerEntry.objects.bulk_create(rows)
            transaction.set_rollback(True)

    if refused:
        with pytest.raises(IntegrityError, match="is off by"):
            insert()
    else:
        insert()


def test_two_currencies_do_not_balance_each_other(invoice):
    fact = LedgerTransaction(account=invoice.account, kind="paid", posted_at=invoice.paid_at)
    fact.source = f"test:{fact.pk}"
    common = {"transaction": fact, "account": invoice.account, "book": "revenue"}

    with pytest.raises(IntegrityError, match="is off by"), transaction.atomic():
        fact.save(force_insert=True)
        LedgerEntry.objects.bulk_create(
            [
                LedgerEntry(**common, amount_minor=100, currency="usd"),
                LedgerEntry(**common, amount_minor=-100, currency="eur"),
            ]
        )


CHANGES = [
    "UPDATE {table} SET id = id",
    "DELETE FROM {table}",
    "TRUNCATE {table} CASCADE",
]


@pytest.mark.parametrize("table", ["ledger_transaction", "ledger_entry", "journal_entry"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_was_written_down_stays_as_it_is(table, change):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change.format(table=table))
