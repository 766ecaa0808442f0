"""What a decision does outside, through the sandbox: in order, once, whatever fails in between."""

from collections import Counter
from datetime import timedelta

import pytest

from accounts.models import JournalEntry, Notice
from billing.invoicing.books import Book
from billing.invoicing.ledger import balance_minor
from billing.models.invoices import BillingSchedule
from billing.models.reversals import CreditNote
from billing.payments.pay_bad_debt import pay_bad_debt
from config import clock as business
from config.passing_time import pass_time
from dunning import brakes, outages
from dunning.consequence_kinds import Consequence
from dunning.models.actions import DunningAction, DunningBrake, ProcessorOutage
from dunning.rollout import roll_out
from tests.dunning.acting import act, decision, give_up, owing, stripe_sdk, turn
from tests.dunning.rows import account_of, bill
from tests.guard import unguarded

pytestmark = pytest.mark.usefixtures("story", "catalog", "live_server_url")


@pytest.fixture(autouse=True)
def _the_brain_only_looks(story):
    """These tests decide by themselves; what the brain would decide meanwhile is only noted."""
    roll_out(percent=100, is_observe_only=True, actor="system:tests", now=business.now())
    yield
    roll_out(percent=100, is_observe_only=False, actor="system:tests", now=business.now())


def let_pass(**duration):
    list(pass_time(business.now() + timedelta(**duration)))


def at_stripe(sandbox, kind, object_id):
    return sandbox.get(f"/v1/{kind}/{object_id}")


def stands(account):
    rows = DunningAction.objects.filter(account=account).order_by("rank")
    return [(row.kind, row.done_at is not None, row.refused_code) for row in rows]


def test_a_bad_invoice_is_credited_marked_copied_and_told_in_that_order(clock, sandbox, stripe_calls):
    clock.freeze()
    account, invoice = owing(sandbox)
    let_pass(days=5)

    give_up(account, invoice)
    let_pass(seconds=5)

    assert {done for _, done, _ in stands(account)} == {True}
    assert [entry.after["act"] for entry in JournalEntry.objects.filter(account=account, kind="dunning.act_done").order_by("id")] == [
        "credit_note", "mark_uncollectible", "mirror", "notify",
    ]  # fmt: skip
    invoice.refresh_from_db()
    days = (invoice.period_end.date() - invoice.period_start.date()).days
    credit = CreditNote.objects.get(invoice=invoice)
    assert (invoice.status, credit.status) == ("uncollectible", "issued")
    assert credit.total_minor == (2 * invoice.total_minor * (days - 5) + days) // (2 * days)
    shown = at_stripe(sandbox, "invoices", invoice.stripe_invoice_id)
    assert (shown["status"], shown["amount_remaining"]) == ("uncollectible", invoice.remaining_minor)
    assert Notice.objects.get(account=account, kind="bad_debt").sent_at is not None
    customer_at_stripe = at_stripe(sandbox, "customers", account.customer.stripe_customer_id)
    assert customer_at_stripe["metadata"]["account_type"] == "pay_go"
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == invoice.remaining_minor


@pytest.mark.parametrize("fault", ["server_error", "cut"])
def test_each_act_survives_an_answer_that_never_comes(clock, sandbox, fault):
    clock.freeze()
    account, invoice = owing(sandbox)
    let_pass(days=5)

    for operation in ("CreditNote.create", "Invoice.mark_uncollectible", "Customer.update"):
        sandbox.post("/_sandbox/faults", {"kind": fault, "operation": operation, "count": 4})
    give_up(account, invoice)
    let_pass(minutes=30)

    assert {(done, code) for _, done, code in stands(account)} == {(True, "")}
    invoice.refresh_from_db()
    shown = at_stripe(sandbox, "invoices", invoice.stripe_invoice_id)
    assert CreditNote.objects.filter(invoice=invoice, status="issued").count() == 1
    assert (shown["status"], shown["amount_remaining"]) == ("uncollectible", invoice.remaining_minor)
    assert Notice.objects.filter(account=account, kind="bad_debt").count() == 1


def test_an_invoice_that_is_paid_before_its_note_gives_the_credit_back(clock, sandbox):
    clock.freeze()
    account, invoice = owing(sandbox)
    let_pass(days=5)
    brakes.set_brake(Consequence.CREDIT_NOTE, is_stopped=True, limit_per_hour=None, actor="agent:o", now=business.now())
    give_up(account, invoice)
    let_pass(seconds=5)
    assert stands(account)[0] == ("credit_note", False, "")
    turn(sandbox, account, "ok")
    pay_bad_debt(account.pk, now=business.now())

    brakes.set_brake(
        Consequence.CREDIT_NOTE, is_stopped=False, limit_per_hour=None, actor="agent:o", now=business.now()
    )
    let_pass(seconds=60)

    invoice.refresh_from_db()
    note = CreditNote.objects.get(invoice=invoice)
    assert (invoice.status, note.status, note.off_debt_minor) == ("paid", "issued", 0)
    assert balance_minor(account.pk, Book.CUSTOMER_CREDIT, currency="usd") == -note.total_minor
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 0
    assert stands(account)[1:] == [
        ("mark_uncollectible", True, "overtaken"),
        ("mirror", True, ""),
        ("notify", True, "overtaken"),
    ]
    assert not Notice.objects.filter(account=account, kind="bad_debt").exists()


def test_an_invoice_that_somebody_gave_up_at_stripe_still_asks_for_the_honest_debt(clock, sandbox):
    clock.freeze()
    account, invoice = owing(sandbox)
    let_pass(days=5)
    with unguarded():
        give_up(account, invoice)
    stripe_sdk(sandbox).invoices.mark_uncollectible(invoice.stripe_invoice_id)
    let_pass(minutes=2)

    note = CreditNote.objects.get(invoice=invoice)
    invoice.refresh_from_db()
    assert (note.status, note.is_ours, invoice.status) == ("issued", True, "uncollectible")
    assert invoice.remaining_minor == invoice.total_minor - note.total_minor
    honest_minor = invoice.remaining_minor

    turn(sandbox, account, "ok")
    paid = pay_bad_debt(account.pk, now=business.now())
    let_pass(seconds=5)
    again = pay_bad_debt(account.pk, now=business.now())

    invoice.refresh_from_db()
    assert (paid.paid, again.paid, invoice.status) == ((invoice.pk,), (), "paid")
    assert (invoice.paid_minor, invoice.paid_elsewhere_minor) == (0, honest_minor)
    assert at_stripe(sandbox, "invoices", invoice.stripe_invoice_id)["status"] == "paid"
    charged = sandbox.get(f"/v1/charges?customer={account.customer.stripe_customer_id}&limit=100")["data"]
    assert sorted(charge["amount"] for charge in charged if charge["paid"]) == sorted(
        [honest_minor, invoice.total_minor]
    )
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 0


def test_the_last_item_ends_its_clock_with_what_waited_on_it(clock, sandbox):
    clock.freeze()
    account, _ = owing(sandbox)
    schedule = BillingSchedule.objects.get(account=account)
    with unguarded():
        kept = decision(account)
        account.opes.filter(license_source_id__startswith=schedule.stripe_subscription_id).update(
            deleted_date=business.now(), workflow=None
        )
    act(kept, Consequence.CANCEL_ITEMS, f"{schedule.pk}:{kept.pk}", schedule=schedule)
    waiting = stripe_sdk(sandbox).invoice_items.create(
        {
            "customer": account.customer.stripe_customer_id,
            "subscription": schedule.stripe_subscription_id,
            "amount": 500,
            "currency": "usd",
        }
    )

    let_pass(seconds=5)

    schedule.refresh_from_db()
    assert schedule.ended_at is not None
    assert at_stripe(sandbox, "subscriptions", schedule.stripe_subscription_id)["status"] == "canceled"
    done = JournalEntry.objects.get(account=account, kind="dunning.act_done")
    assert (done.after["act"], done.after["has_ended"], done.after["items"]) == ("cancel_items", True, [waiting.id])


def test_a_limit_lets_so_many_through_in_an_hour_and_no_more(clock):
    clock.freeze()
    made = [(account, bill(account, at=business.now())) for account in (account_of() for _ in range(3))]
    brakes.set_brake(Consequence.NOTIFY, is_stopped=False, limit_per_hour=2, actor="agent:o", now=business.now())
    for account, invoice in made:
        facts = {"told": "payment_failed", "level": 1, "invoice_ids": [invoice.pk], "currency": "usd"}
        with unguarded():
            kept = decision(account)
        act(kept, Consequence.NOTIFY, f"payment_failed:{invoice.pk}:1", invoice=invoice, facts=facts)

    carried = []
    for minutes in (0, 59, 2):
        let_pass(minutes=minutes)
        carried.append(DunningAction.objects.filter(account__in=[a for a, _ in made], done_at__isnull=False).count())

    brakes.set_brake(Consequence.NOTIFY, is_stopped=False, limit_per_hour=None, actor="agent:o", now=business.now())
    assert carried == [2, 2, 3]
    assert not DunningBrake.objects.exists()
    with pytest.raises(brakes.BrakeRefused):
        brakes.set_brake(Consequence.NOTIFY, is_stopped=False, limit_per_hour=0, actor="a", now=business.now())


def test_an_outage_is_noticed_where_work_waits_and_ends_by_itself(clock, sandbox):
    clock.freeze()
    account, invoice = owing(sandbox)
    let_pass(days=1)
    began = ProcessorOutage.objects.count()
    assert outages.watch(now=business.now()) == 0, "nothing waits: nobody is asked"
    give_up(account, invoice)
    sandbox.post("/_sandbox/faults", {"kind": "outage", "minutes": 60})

    let_pass(minutes=50)
    meanwhile = stands(account)
    lasts = outages.lasts()
    let_pass(minutes=45)

    assert (lasts, outages.lasts(), ProcessorOutage.objects.count()) == (True, False, began + 1)
    assert [done for _, done, _ in meanwhile] == [False] * 4
    assert {(done, code) for _, done, code in stands(account)} == {(True, "")}
    outage = ProcessorOutage.objects.latest("started_at")
    assert timedelta(minutes=55) < outage.ended_at - outage.started_at < timedelta(minutes=75)
    assert CreditNote.objects.filter(invoice=invoice).count() == 1
    assert Counter(Notice.objects.filter(account=account).values_list("kind", flat=True))["bad_debt"] == 1
