"""Money that goes back, at the sandbox: what is owed is what is billed, and nothing is given twice."""

from datetime import timedelta

import pytest

from accounts.models import JournalEntry, SubsStuckEvent
from billing.cfstripe.client import client
from billing.changes_calculator.submit import submit
from billing.invoicing import disputes, refunds, resolve
from billing.invoicing.acts import InvoiceActRefused
from billing.invoicing.books import Book
from billing.invoicing.ledger import balance_minor, owed_minor
from billing.invoicing.refunds import RefundRefused
from billing.models.credits import Credit
from billing.models.invoices import Invoice
from billing.models.ledger import LedgerTransaction
from billing.models.methods import PaymentMethod
from billing.models.reversals import Charge, CreditNote, Dispute, InvoiceAct, Refund
from billing.payments.collect import NO_METHOD, collect
from billing.payments.methods import store_test_card
from config import clock as business
from config.passing_time import pass_time
from tests.billing.people import customer, wish
from tests.guard import unguarded

pytestmark = pytest.mark.usefixtures("story", "catalog", "live_server_url")

PENDING_REFUND, FAILING_REFUND, DISPUTED = "4000000000007726", "4000000000005126", "4000000000000259"
FAILS_LATER = "4000000000000341"


def let_pass(**duration):
    for _ in pass_time(business.now() + timedelta(**duration)):
        pass


def books(account):
    return {book: amount for book in Book if (amount := balance_minor(account.pk, book, currency="usd"))}


def bought(card="4242424242424242", plan="pro"):
    account, zone = customer(card=card)
    submit(wish(account, zone, plan))
    let_pass(seconds=1)
    return account, Invoice.objects.get(account=account)


def owing(plan="business"):
    """An account with an open renewal that nobody could collect."""
    account, _ = bought(plan=plan)
    store_test_card(account.pk, number=FAILS_LATER, actor="system:tests", now=business.now())
    with unguarded():  # the card that paid the purchase is not to be tried next
        old = PaymentMethod.objects.filter(account=account, is_default=False)
        old.update(is_usable=False, unusable_why="for the test")
    let_pass(days=32)
    return account, Invoice.objects.filter(account=account).latest("created_at")


def test_a_refund_in_two_parts_and_never_more(clock):
    account, invoice = bought()
    charge = Charge.objects.get(account=account)

    resolve.refund(charge.pk, amount_minor=10_00, actor="agent:a", now=business.now())
    with pytest.raises(RefundRefused, match="1500 minor units are left"):
        resolve.refund(charge.pk, amount_minor=15_01, actor="agent:a", now=business.now())
    resolve.refund(charge.pk, amount_minor=15_00, actor="agent:a", now=business.now())
    let_pass(seconds=5)

    assert sorted(Refund.objects.filter(account=account).values_list("amount_minor", "status")) == [
        (10_00, "succeeded"), (15_00, "succeeded"),
    ]  # fmt: skip
    charge.refresh_from_db()
    assert charge.refunded_minor == 25_00
    assert books(account) == {}
    assert CreditNote.objects.filter(invoice=invoice, status="issued").count() == 2


def test_a_refund_to_credit_leaves_the_money_here():
    account, _ = bought()
    charge = Charge.objects.get(account=account)

    resolve.refund(charge.pk, amount_minor=10_00, to_credit=True, actor="agent:a", now=business.now())

    with pytest.raises(RefundRefused):
        resolve.refund(charge.pk, amount_minor=15_01, actor="agent:a", now=business.now())
    assert Credit.objects.get(account=account).remaining_minor == 10_00
    assert owed_minor(account.pk, currency="usd") == -10_00
    assert books(account) == {Book.CASH_STRIPE: 25_00, Book.REVENUE: -15_00, Book.CUSTOMER_CREDIT: -10_00}


def test_a_refund_that_fails_later_is_a_task_and_may_become_credit(clock):
    account, _ = bought(card=FAILING_REFUND)
    charge = Charge.objects.get(account=account)

    resolve.refund(charge.pk, amount_minor=25_00, actor="agent:a", now=business.now())
    let_pass(days=2)

    refund = Refund.objects.get(account=account)
    assert (refund.status, refund.failure_code) == ("failed", "expired_or_canceled_card")
    assert books(account) == {Book.CASH_STRIPE: 25_00, Book.REFUND_DUE: -25_00}
    item = SubsStuckEvent.objects.get(kind="refund.failed", external_id=refund.stripe_refund_id)
    assert (item.reason, item.account_id, item.signature, item.resolved_at) == (
        "refund_failed", account.pk, "expired_or_canceled_card", None,
    )  # fmt: skip
    refunds.give_as_credit(refund.pk, actor="agent:a", now=business.now())
    with pytest.raises(RefundRefused):
        refunds.give_as_credit(refund.pk, actor="agent:a", now=business.now())
    item.refresh_from_db()
    assert item.resolved_at
    assert JournalEntry.objects.get(kind="stuck.settled", cause=f"stripe:{item.external_id}").actor == "agent:a"
    assert books(account) == {Book.CASH_STRIPE: 25_00, Book.CUSTOMER_CREDIT: -25_00}


def test_a_refund_made_at_stripe_by_somebody_is_recorded(sandbox):
    account, _ = bought()
    charge = Charge.objects.get(account=account)

    client().v1.refunds.create({"payment_intent": charge.processor_payment_id, "amount": 5_00})
    let_pass(seconds=5)

    assert Refund.objects.get(account=account).credit_note_id is None
    assert books(account) == {Book.CASH_STRIPE: 20_00, Book.REVENUE: -25_00, Book.REFUND_DUE: 5_00}


def test_a_credit_note_that_somebody_made_at_stripe_gives_back_what_it_says():
    account, invoice = bought()

    made = client().v1.credit_notes.create(
        {"invoice": invoice.stripe_invoice_id, "amount": 5_00, "refund_amount": 5_00, "memo": "Sorry"}
    )
    let_pass(seconds=5)

    note = CreditNote.objects.get(account=account)
    assert (note.stripe_credit_note_id, note.number, note.why, note.status) == (
        made.id,
        made.number,
        "stripe",
        "issued",
    )
    assert (note.total_minor, note.to_method_minor, note.off_debt_minor, note.memo) == (5_00, 5_00, 0, "Sorry")
    assert Refund.objects.get(account=account).amount_minor == 5_00
    assert Charge.objects.get(account=account).refunded_minor == 5_00
    assert books(account) == {Book.CASH_STRIPE: 20_00, Book.REVENUE: -20_00}
    assert JournalEntry.objects.get(account=account, kind="credit_note.issued").actor == "system:pipe"


def test_a_credit_note_that_somebody_made_at_stripe_takes_off_what_is_owed():
    account, invoice = owing(plan="pro")

    client().v1.credit_notes.create({"invoice": invoice.stripe_invoice_id, "amount": 5_00})
    let_pass(seconds=5)

    invoice.refresh_from_db()
    assert CreditNote.objects.get(account=account).off_debt_minor == 5_00
    assert invoice.remaining_minor == owed_minor(account.pk, currency="usd") == 20_00
    assert not Refund.objects.filter(account=account).exists()


def test_what_is_given_up_is_owed_only_as_far_as_it_was_used(clock):
    account, invoice = owing()
    assert invoice.status == "open"
    decided = invoice.period_start.date() + timedelta(days=5)
    days = (invoice.period_end.date() - invoice.period_start.date()).days
    debt = resolve.true_debt_minor(invoice, decided_on=decided)

    act = resolve.mark_uncollectible(invoice.pk, decided_on=decided, actor="agent:a", now=business.now())
    let_pass(seconds=5)

    invoice.refresh_from_db()
    assert act.done_at is not None
    assert invoice.status == "uncollectible"
    assert invoice.remaining_minor == debt == round(250_00 * 5 / days)
    assert resolve.true_debt_minor(invoice, decided_on=decided) == debt
    assert owed_minor(account.pk, currency="usd") == debt
    with pytest.raises(InvoiceActRefused, match="uncollectible"):
        resolve.mark_uncollectible(invoice.pk, actor="agent:a", now=business.now())

    resolve.write_off(invoice.pk, actor="agent:a", now=business.now())
    let_pass(seconds=5)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.written_off_minor, invoice.remaining_minor) == ("paid", debt, 0)
    assert books(account)[Book.WRITTEN_OFF] == debt
    assert owed_minor(account.pk, currency="usd") == 0


def test_an_open_invoice_is_credited_and_then_voided():
    account, invoice = owing(plan="pro")

    resolve.credit_invoice(invoice.pk, amount_minor=5_00, memo="Sorry", actor="agent:a", now=business.now())
    invoice.refresh_from_db()
    assert invoice.remaining_minor == owed_minor(account.pk, currency="usd") == 20_00
    with pytest.raises(InvoiceActRefused):
        resolve.credit_invoice(invoice.pk, amount_minor=20_01, actor="agent:a", now=business.now())
    resolve.void(invoice.pk, actor="agent:a", now=business.now())
    let_pass(seconds=5)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.remaining_minor) == ("void", 0)
    assert owed_minor(account.pk, currency="usd") == 0
    assert books(account)[Book.REVENUE] == -25_00  # the first month stays sold


def test_crediting_all_of_an_open_invoice_pays_it():
    account, invoice = owing(plan="pro")

    resolve.credit_invoice(invoice.pk, amount_minor=25_00, actor="agent:a", now=business.now())
    let_pass(seconds=5)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.credited_minor, invoice.paid_elsewhere_minor) == ("paid", 25_00, 0)
    assert owed_minor(account.pk, currency="usd") == 0


def test_a_dispute_is_no_debt_while_it_is_open_and_comes_back_when_it_is_won(clock):
    account, _ = bought(card=DISPUTED)
    let_pass(minutes=10)
    dispute = Dispute.objects.get(account=account)
    assert dispute.evidence_due_at is not None
    assert books(account) == {Book.DISPUTED: 25_00, Book.REVENUE: -25_00}
    assert owed_minor(account.pk, currency="usd") == 0
    with pytest.raises(RefundRefused, match="disputed"):
        resolve.refund(dispute.charge_id, amount_minor=1, actor="agent:a", now=business.now())

    disputes.submit_evidence(dispute.pk, evidence_text="winning_evidence", actor="agent:a", now=business.now())
    with pytest.raises(disputes.DisputeRefused):
        disputes.accept(dispute.pk, actor="agent:a", now=business.now())
    let_pass(seconds=5)

    dispute.refresh_from_db()
    assert (dispute.status, dispute.closed_at is None) == ("won", False)
    assert books(account) == {Book.CASH_STRIPE: 25_00, Book.REVENUE: -25_00}
    assert disputes.disputed_method_ids(account.pk) == frozenset()


def test_a_lost_dispute_is_billed_anew_without_a_fee(clock):
    account, first = bought(card=DISPUTED)
    let_pass(minutes=10)
    dispute = Dispute.objects.get(account=account)

    disputes.accept(dispute.pk, actor="agent:a", now=business.now())
    let_pass(minutes=1)

    dispute.refresh_from_db()
    assert dispute.status == "lost"
    rebilled = dispute.rebilled
    assert (rebilled.reason, rebilled.status, rebilled.total_minor, rebilled.remaining_minor) == (
        "dispute", "open", 25_00, 25_00,
    )  # fmt: skip
    assert str(first) in rebilled.lines.get().description
    assert owed_minor(account.pk, currency="usd") == 25_00
    assert books(account) == {Book.RECEIVABLE: 25_00, Book.REVENUE: -25_00}
    assert resolve.true_debt_minor(rebilled, decided_on=business.now().date()) == 25_00
    assert len(disputes.disputed_method_ids(account.pk)) == 1
    collect(rebilled, now=business.now())
    rebilled.refresh_from_db()
    assert rebilled.collection_failed == NO_METHOD  # whoever disputed a charge is not charged again unasked
    assert not rebilled.attempts.exists()


def test_news_that_comes_twice_changes_nothing(clock):
    account, _ = bought(card=DISPUTED)
    let_pass(minutes=10)
    dispute = Dispute.objects.get(account=account)
    disputes.accept(dispute.pk, actor="agent:a", now=business.now())
    let_pass(minutes=1)
    before = LedgerTransaction.objects.filter(account=account).count()

    from webhooks.models import StripeEvent
    from webhooks.replay import replay

    replay(StripeEvent.objects.filter(type__startswith="charge.dispute"), now=business.now())
    let_pass(minutes=1)

    assert LedgerTransaction.objects.filter(account=account).count() == before
    assert Invoice.objects.filter(account=account, reason="dispute").count() == 1
    assert not InvoiceAct.objects.filter(account=account, done_at__isnull=True).exists()
