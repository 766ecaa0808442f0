"""The ledger's browser: how it is searched, what it adds up, and what it costs at many rows."""

import json

import pytest
from django.db import connection
from django.urls import reverse

from billing.admin.ledger import narrowed
from billing.invoicing import ledger
from billing.invoicing.books import Book
from billing.models.invoices import Invoice
from billing.models.ledger import LedgerTransaction
from tests.admin import world
from tests.guard import unguarded

LIST = "admin:billing_ledgertransaction_changelist"


@pytest.fixture
def account(db):
    world.account_with_everything(domain="other.example")
    return world.account_with_everything()


def found(term):
    rows = LedgerTransaction.objects.all()
    for word in term.split():
        rows = narrowed(rows, word)
    return {row.kind for row in rows}


TERMS = [
    # words                             what is found
    ("{account}",                       {"finalized", "paid"}),
    ("{ACCOUNT}",                       {"finalized", "paid"}),
    ("{invoice}",                       {"finalized", "paid"}),
    ("{number}",                        {"finalized", "paid"}),
    ("{stripe}",                        {"finalized", "paid"}),
    ("{account} paid",                  {"paid"}),
    ("{source}",                        {"finalized"}),
    ("{account} 2027-03-05",            {"finalized", "paid"}),
    ("{account} 2027-03",               {"finalized", "paid"}),
    ("{account} 2027-03-06",            set()),
    ("{account} 2027-04",               set()),
    ("{account} 2027-13",               set()),
    ("refund",                          set()),
    ("written-off",                     set()),
    ("acme",                            set()),
]  # fmt: skip


@pytest.mark.parametrize(("term", "kinds"), TERMS)
def test_words_narrow_what_is_found(account, term, kinds):
    invoice = Invoice.objects.get(account=account, status="paid")
    words = term.format(
        account=account.pk,
        ACCOUNT=account.pk.upper(),
        invoice=invoice.pk,
        number=invoice.number.lower(),
        stripe=invoice.stripe_invoice_id,
        source=f"finalized:{invoice.pk}",
    )

    assert found(words) == kinds


def test_an_account_searched_for_shows_what_stands_in_its_books(agent, account):
    html = agent.get(reverse(LIST), {"q": account.pk}).content.decode()

    assert "What stands in the account&#x27;s books" in html
    assert "what Stripe holds for us" in html
    assert "what customers owe" not in html, "what was finalised and paid leaves nothing there"
    assert "$25.00 cash stripe" in html


def test_a_transaction_shows_both_sides_and_their_sum(agent, account):
    fact = LedgerTransaction.objects.get(account=account, kind="finalized")

    html = agent.get(reverse("admin:billing_ledgertransaction_change", args=[fact.pk])).content.decode()

    assert html.count("$25.00") >= 4, "a debit and a credit, and the sum of each"
    assert "Sum" in html


def test_a_correction_names_the_first_and_is_posted_once(agent, account):
    fact = LedgerTransaction.objects.get(account=account, kind="finalized")
    before = list(fact.entries.values_list("book", "amount_minor"))
    wanted = {Book.REVENUE: 5_00, Book.RECEIVABLE: -5_00}

    with unguarded():
        first, again = (
            ledger.correct(fact.pk, wanted, key="k", actor="agent:ann", reason="typed wrongly", now=world.NOW)
            for _ in range(2)
        )
        other = ledger.correct(fact.pk, wanted, key="l", actor="agent:ann", reason="once more", now=world.NOW)

    assert first.pk == again.pk != other.pk
    assert list(fact.entries.values_list("book", "amount_minor")) == before
    assert {each.pk for each in fact.corrections.all()} == {first.pk, other.pk}
    assert dict(first.entries.values_list("book", "amount_minor")) == {"revenue": 5_00, "receivable": -5_00}
    assert ledger.balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == -10_00
    page = agent.get(reverse("admin:billing_ledgertransaction_change", args=[first.pk])).content.decode()
    assert f"finalized:{fact.invoice_id}" in page


@pytest.mark.parametrize("amounts", [{Book.REVENUE: 5_00, Book.RECEIVABLE: -4_00}, {Book.REVENUE: 0}])
def test_a_correction_that_does_not_add_up_is_a_fault(account, amounts):
    fact = LedgerTransaction.objects.filter(account=account).first()

    with pytest.raises(AssertionError):
        ledger.correct(fact.pk, amounts, key="k", actor="agent:ann", reason="no", now=world.NOW)

    assert not fact.corrections.exists()


def read_whole(plan):
    """The tables that a plan reads from the first row to the last."""
    own = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return own.union(*(read_whole(part) for part in plan.get("Plans", [])))


def test_every_search_goes_through_an_index_when_there_are_many(account):
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_transaction (id, account_id, kind, source, invoice_id, posted_at)
            SELECT md5(n::text), %s, CASE WHEN n %% 2 = 0 THEN 'paid' ELSE 'finalized' END, 'many:' || n, NULL,
                timestamptz '2026-01-01' + n * interval '1 minute'
            FROM generate_series(1, 30000) n
            """,
            [account.pk],
        )
        cursor.execute("ANALYZE ledger_transaction")

    for term in ("refund", "paid", "2027-03-05", "many:7"):
        rows = narrowed(LedgerTransaction.objects.order_by("-posted_at", "-pk"), term)[:51]
        assert "ledger_transaction" not in read_whole(json.loads(rows.explain(format="json"))[0]["Plan"]), term
