"""What is paid beyond what was owed: the money is recorded, and what was too much is the customer's."""

import pytest
import stripe
from django.conf import settings

from accounts.lock import account_lock
from accounts.models import SubsStuckEvent
from billing.invoicing import record, resolve
from billing.invoicing.books import Book
from billing.models.credits import Credit
from billing.models.reversals import Charge, CreditNote
from billing.payments.methods import store_test_card
from config import clock as business
from tests.billing.people import GOOD
from tests.guard import unguarded
from tests.money import nothing_differs
from tests.stories.test_money_back import books, let_pass, owing

pytestmark = pytest.mark.usefixtures("story", "catalog", "live_server_url")


def at_stripe(sandbox):
    return stripe.StripeClient(settings.STRIPE_API_KEY, base_addresses={"api": str(sandbox)}).v1


def given_up_at_stripe(sandbox):
    """An unpaid renewal that somebody gave up at Stripe, where it asks for all of it still."""
    account, invoice = owing(plan="pro")
    at_stripe(sandbox).invoices.mark_uncollectible(invoice.stripe_invoice_id)
    let_pass(seconds=5)
    invoice.refresh_from_db()
    assert invoice.status == "uncollectible"
    return account, invoice


def honest_credit_minor(invoice):
    """What of its 25.00 the brain credited when it heard that the invoice was given up: the days not begun by then."""
    days = (invoice.period_end.date() - invoice.period_start.date()).days
    unused = days - (business.now().date() - invoice.period_start.date()).days
    return (2 * 25_00 * unused + days) // (2 * days)


def pay_all_of_it(sandbox, account, invoice):
    method = store_test_card(account.pk, number=GOOD, actor="system:tests", now=business.now())
    at_stripe(sandbox).invoices.pay(invoice.stripe_invoice_id, {"payment_method": method.processor_id})
    let_pass(seconds=5)
    invoice.refresh_from_db()


def test_what_we_credited_and_the_customer_pays_all_the_same_is_theirs(sandbox):
    account, invoice = given_up_at_stripe(sandbox)
    credited_minor = honest_credit_minor(invoice)
    assert invoice.remaining_minor == 25_00 - credited_minor > 0

    pay_all_of_it(sandbox, account, invoice)

    assert (invoice.status, invoice.paid_minor, invoice.credited_minor, invoice.remaining_minor) == (
        "paid",
        25_00,
        0,
        0,
    )
    assert not SubsStuckEvent.objects.filter(account=account, resolved_at__isnull=True).exists()
    credit = Credit.objects.get(account=account)
    assert (credit.kind, credit.remaining_minor) == ("goodwill", credited_minor)
    note = CreditNote.objects.get(invoice=invoice)
    assert (note.off_debt_minor, note.to_credit_minor, note.total_minor) == (0, credited_minor, credited_minor)
    assert books(account) == {
        Book.CASH_STRIPE: 50_00,
        Book.REVENUE: credited_minor - 50_00,
        Book.CUSTOMER_CREDIT: -credited_minor,
    }
    assert resolve.refundable_minor(Charge.objects.get(invoice=invoice)) == 25_00 - credited_minor
    assert nothing_differs(account)


def test_a_debt_that_was_given_up_for_good_and_is_paid_is_no_loss(sandbox):
    """The write-off is in our books when the customer's payment arrives: Stripe had not been told of it."""
    account, invoice = given_up_at_stripe(sandbox)
    credited_minor = honest_credit_minor(invoice)

    with account_lock(account.pk), unguarded():
        record.note_written_off(invoice, at=business.now())
    pay_all_of_it(sandbox, account, invoice)

    assert (invoice.status, invoice.paid_minor, invoice.written_off_minor) == ("paid", 25_00, 0)
    assert books(account) == {
        Book.CASH_STRIPE: 50_00,
        Book.REVENUE: credited_minor - 50_00,
        Book.CUSTOMER_CREDIT: -credited_minor,
    }
    assert Credit.objects.get(account=account).remaining_minor == credited_minor
    assert nothing_differs(account)
