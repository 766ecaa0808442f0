"""Tax is Stripe's: its amounts are carried to our invoices, books, credit notes and papers, and none is worked out here."""

from datetime import timedelta

import pytest

from billing.changes_calculator.submit import submit
from billing.invoicing import resolve
from billing.invoicing.books import Book
from billing.invoicing.ledger import balance_minor
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.reversals import Charge, CreditNote
from billing.receipts.gather import document_of
from config import clock as business
from config.passing_time import pass_time
from tests.billing.people import customer, wish
from tests.invariants import assert_hold
from tests.money import holds

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


@pytest.fixture(autouse=True)
def _taxed(sandbox):
    sandbox.put("/_sandbox/settings", {"tax_percent": 19})
    yield
    sandbox.put("/_sandbox/settings", {"tax_percent": 0})


def test_tax_goes_with_an_invoice_and_back_with_its_credit_note(clock, sandbox):
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    invoice = Invoice.objects.get(account=account)
    assert (invoice.subtotal_minor, invoice.tax_minor, invoice.total_minor, invoice.paid_minor) == (
        25_00, 4_75, 29_75, 29_75,
    )  # fmt: skip
    paper = document_of(account.pk, invoice.pk)
    assert (paper.tax_minor, paper.total_minor) == (4_75, 29_75)
    assert books(account) == {Book.CASH_STRIPE: 29_75, Book.REVENUE: -25_00, Book.TAX_PAYABLE: -4_75}

    resolve.refund(Charge.objects.get(account=account).pk, amount_minor=10_00, actor="agent:tests", now=business.now())
    list(pass_time(business.now() + timedelta(minutes=1)))

    note = CreditNote.objects.get(account=account)
    assert (note.subtotal_minor, note.tax_minor, note.total_minor) == (8_40, 1_60, 10_00)
    assert books(account) == {Book.CASH_STRIPE: 19_75, Book.REVENUE: -16_60, Book.TAX_PAYABLE: -3_15}
    assert_hold(sandbox, account)

    list(pass_time(BillingSchedule.objects.get(account=account).next_at + timedelta(hours=2)))

    renewal = Invoice.objects.get(account=account, reason="cycle")
    assert (renewal.status, renewal.tax_minor, renewal.total_minor) == ("paid", 4_75, 29_75)
    holds(account)
    assert_hold(sandbox, account)


def books(account):
    return {book: amount for book in Book if (amount := balance_minor(account.pk, book, currency="usd"))}
