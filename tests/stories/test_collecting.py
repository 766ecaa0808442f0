"""Renewals that don't go smoothly: declined cards, other cards, answers that were lost, and Stripe who was faster."""

from datetime import timedelta

import pytest

from accounts.lock import account_lock
from accounts.models import JournalEntry
from billing.changes_calculator.request import PaymentDeclined
from billing.changes_calculator.submit import submit
from billing.invoicing.advance import advance_due
from billing.invoicing.finalize import finalize
from billing.invoicing.ledger import Book, balance_minor
from billing.models.invoices import BillingSchedule, Invoice, PaymentAttempt
from billing.models.methods import PaymentMethod
from billing.payments import attempts
from billing.payments.collect import AttemptInFlight, collect, hold, let_go
from billing.payments.declines import NEXT, classify, told
from billing.payments.look_up import look_up_due
from billing.payments.methods import store_test_card
from config.passing_time import pass_time
from sandbox.stripe.cards import CARDS, DECLINES
from tests.billing.people import customer, wish
from webhooks.forwarding import forward_due

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

MASTERCARD, AMEX = "5555555555554444", "378282246310005"


def buyer(clock, *more_cards):
    """An account that has bought Pro with a good card and keeps further cards; the last stored is the primary one."""
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    for number in more_cards:
        store_test_card(account.pk, number=number, actor="system:tests", now=clock.now())
    return account, BillingSchedule.objects.get(account=account).next_at


def renewal(account):
    return Invoice.objects.get(account=account, reason="cycle")


def tries(account):
    """Every attempt for the renewal as (card, who made it, how it ended, why), in the order of the journal."""
    begun = JournalEntry.objects.filter(account=account, kind="payment.attempted").order_by("sequence")
    order = {entry.after["attempt_id"]: entry.sequence for entry in begun}
    rows = PaymentAttempt.objects.filter(invoice=renewal(account)).select_related("method")
    rows = sorted(rows, key=lambda attempt: order.get(attempt.pk, 0))
    return [(a.method.last4 if a.method else "", a.source, a.status, a.code) for a in rows]


def turn(sandbox, method, outcome):
    sandbox.post("/_sandbox/payment_methods", {"payment_method": method.processor_id, "outcome": outcome})


def charges(account, sandbox):
    customer_id = account.customer.stripe_customer_id
    return [c for c in sandbox.get(f"/v1/charges?customer={customer_id}&limit=100")["data"] if c["paid"]]


def test_every_decline_has_its_consequence(clock, sandbox):
    buyers = {decline: buyer(clock) for decline in DECLINES}
    end = max(end for _, end in buyers.values())
    cards = {decline: PaymentMethod.objects.get(account=account) for decline, (account, _) in buyers.items()}
    for decline, card in cards.items():
        turn(sandbox, card, decline)

    list(pass_time(end + timedelta(minutes=30)))

    for decline, (account, _) in buyers.items():
        code = DECLINES[decline].decline_code or DECLINES[decline].code
        follows = NEXT[classify(code, DECLINES[decline].advice_code)]
        invoice, card = renewal(account), cards[decline]
        attempt = PaymentAttempt.objects.get(invoice=invoice)
        assert (invoice.status, invoice.collection_failed, attempt.code) == ("open", code, code)
        assert attempt.advice_code == (DECLINES[decline].advice_code or "")
        card.refresh_from_db()
        assert (card.is_usable, card.unusable_why) == ((False, code) if follows.stops_method else (True, "")), decline

    for card in cards.values():
        turn(sandbox, card, "ok")
    list(pass_time(clock.now() + timedelta(days=2)))

    for decline, (account, _) in buyers.items():
        follows = NEXT[
            classify(DECLINES[decline].decline_code or DECLINES[decline].code, DECLINES[decline].advice_code)
        ]
        assert renewal(account).status == ("paid" if follows.retry_after else "open"), decline


def test_a_purchase_with_a_card_that_declines_says_what_to_do(clock):
    clock.freeze()
    for card in [card for card in CARDS if card.on_charge and card.on_attach]:
        account, zone = customer(card=card.number)

        with pytest.raises(PaymentDeclined) as declined:
            submit(wish(account, zone))

        decline = DECLINES[card.on_charge]
        assert str(declined.value) == f"{told(decline.decline_code or decline.code)} Nothing was changed."
        stops = NEXT[classify(decline.decline_code, decline.advice_code)].stops_method
        assert PaymentMethod.objects.get(account=account).is_usable is not stops


def test_a_renewal_tries_each_method_in_order_and_charges_once(clock, sandbox):
    account, end = buyer(clock)
    for number in (MASTERCARD, AMEX):
        clock.advance(seconds=1)
        store_test_card(account.pk, number=number, actor="system:tests", now=clock.now())
    by_last4 = {method.last4: method for method in PaymentMethod.objects.filter(account=account)}
    turn(sandbox, by_last4["0005"], "insufficient_funds")
    turn(sandbox, by_last4["4242"], "lost_card")

    list(pass_time(end + timedelta(hours=2)))

    assert tries(account) == [
        ("0005", "ours", "failed", "insufficient_funds"),
        ("4242", "ours", "failed", "lost_card"),
        ("4444", "ours", "succeeded", ""),
    ]
    assert (renewal(account).status, renewal(account).collection_failed) == ("paid", "")
    assert len(charges(account, sandbox)) == 2


def test_a_purchase_tries_nothing_but_the_method_that_was_chosen(clock, sandbox):
    clock.freeze()
    account, zone = customer()
    store_test_card(account.pk, number="4000000000000341", actor="system:tests", now=clock.now())

    with pytest.raises(PaymentDeclined):
        submit(wish(account, zone))

    assert charges(account, sandbox) == []


@pytest.mark.parametrize(
    ("fault", "tries_made"),
    [
        ("cut", [("4242", "ours", "succeeded", "")]),
        ("time_out", [("4242", "ours", "failed", "not_attempted"), ("4242", "ours", "succeeded", "")]),
    ],
)
def test_an_unknown_outcome_is_looked_up_after_ten_minutes_and_not_repeated(clock, sandbox, fault, tries_made):
    account, end = buyer(clock)
    events_come_in(clock, sandbox, end)
    sandbox.post("/_sandbox/faults", {"kind": fault, "operation": "Invoice.pay", "count": 3, "seconds": 0.01})
    take_all(forward_due, clock)

    advance_due(now=clock.now())
    assert tries_in_flight(account) == [("ours", "in_flight")]
    clock.advance(minutes=9)
    assert look_up_due(now=clock.now()) == 0
    clock.advance(minutes=1)
    with pytest.raises(AttemptInFlight):
        collect(renewal(account), now=clock.now())
    assert look_up_due(now=clock.now()) == 1
    list(pass_time(clock.now() + timedelta(minutes=1)))

    assert tries(account) == tries_made
    assert len(charges(account, sandbox)) == 2
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 0


def test_a_decline_whose_answer_was_lost_is_known_by_its_charge(clock, sandbox):
    account, end = buyer(clock)
    turn(sandbox, PaymentMethod.objects.get(account=account), "stolen_card")
    events_come_in(clock, sandbox, end)
    sandbox.post("/_sandbox/faults", {"kind": "cut", "operation": "Invoice.pay", "count": 3})
    take_all(forward_due, clock)

    advance_due(now=clock.now())
    clock.advance(minutes=10)
    look_up_due(now=clock.now())

    assert tries(account) == [("4242", "ours", "failed", "stolen_card")]
    assert not PaymentMethod.objects.get(account=account).is_usable


def test_while_somebody_makes_the_call_nobody_else_does(clock, sandbox):
    account, end = buyer(clock)
    events_come_in(clock, sandbox, end)
    take_all(forward_due, clock)
    invoice = renewal(account)
    finalize(invoice, now=clock.now())
    with account_lock(account.pk):
        attempt = attempts.begin(invoice, PaymentMethod.objects.get(account=account), on_session=False, now=clock.now())
    hold(attempt, now=clock.now())

    with pytest.raises(AttemptInFlight):
        collect(invoice, now=clock.now())

    let_go(attempt)
    collect(invoice, now=clock.now())
    assert tries(account) == [("4242", "ours", "succeeded", "")]


@pytest.fixture
def slow_bank(sandbox):
    """A bank that takes a quarter of an hour to answer what Stripe charges by itself."""
    sandbox.put("/_sandbox/settings", {"charge_seconds": 900})
    yield
    sandbox.put("/_sandbox/settings", {"charge_seconds": 0})


def test_we_come_back_in_the_middle_of_stripes_own_attempt(clock, sandbox, slow_bank):
    account, end = buyer(clock)
    events_come_in(clock, sandbox, end)
    clock.freeze(end + timedelta(minutes=70))

    list(pass_time(end + timedelta(minutes=72)))

    assert tries_in_flight(account) == [("stripe", "in_flight")]
    assert len(charges(account, sandbox)) == 1
    list(pass_time(end + timedelta(hours=2)))
    assert (renewal(account).status, [t[1:] for t in tries(account)]) == ("paid", [("stripe", "succeeded", "")])
    assert len(charges(account, sandbox)) == 2
    assert BillingSchedule.objects.get(account=account).next_at > end
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 0


def test_stripes_own_attempt_fails_and_the_other_card_pays(clock, sandbox, slow_bank):
    account, end = buyer(clock, MASTERCARD)
    turn(sandbox, PaymentMethod.objects.get(account=account, is_default=True), "insufficient_funds")
    events_come_in(clock, sandbox, end)
    clock.freeze(end + timedelta(minutes=70))

    list(pass_time(end + timedelta(hours=3)))

    assert tries(account) == [
        ("4444", "stripe", "failed", "insufficient_funds"),
        ("4242", "ours", "succeeded", ""),
    ]
    assert len(charges(account, sandbox)) == 2


def test_the_worker_was_dead_for_seventy_minutes_and_stripe_did_it_all(clock, sandbox):
    account, end = buyer(clock)
    events_come_in(clock, sandbox, end)
    clock.freeze(end + timedelta(minutes=70))

    list(pass_time(end + timedelta(hours=3)))

    assert (renewal(account).status, [t[1:] for t in tries(account)]) == ("paid", [("stripe", "succeeded", "")])
    assert len(charges(account, sandbox)) == 2


def tries_in_flight(account):
    return list(PaymentAttempt.objects.filter(invoice=renewal(account)).values_list("source", "status"))


def events_come_in(clock, sandbox, at):
    """Let the clock stand at a renewal until its events are in the inbox; no worker takes them up."""
    list(pass_time(at - timedelta(minutes=1)))
    clock.freeze(at)
    while sandbox.get("/_sandbox/pending")["webhooks_due"]:
        continue


def take_all(sweep, clock):
    while sweep(now=clock.now()):
        continue


def test_a_card_that_is_good_again_after_fifteen_failures_is_left_alone_by_itself(clock, sandbox):
    account, end = buyer(clock)
    card = PaymentMethod.objects.get(account=account)
    turn(sandbox, card, "processing_error")
    list(pass_time(end + timedelta(hours=1)))
    for _ in range(20):
        list(pass_time(clock.now() + timedelta(hours=2)))
        collect(renewal(account), now=clock.now())

    assert len(tries(account)) == 15
