"""A card that failed too often lately is charged for nothing any more, a purchase neither; another one is."""

import pytest

from billing.changes_calculator.request import ChangeRefused, Origin, Outcome, PaymentDeclined
from billing.changes_calculator.submit import submit
from billing.payments.declines import CAP_PERIOD, CAP_TRIES
from billing.payments.methods import store_test_card
from billing.payments.tries import tries_of_cards
from config import clock as business
from tests.billing.people import DECLINED, GOOD, customer, wish

pytestmark = pytest.mark.usefixtures("story", "catalog", "live_server_url")


def is_declined(account, zone):
    with pytest.raises(PaymentDeclined):
        submit(wish(account, zone))


def test_a_card_that_declined_purchases_too_often_is_tried_no_more_until_a_month_is_over(clock, stripe_calls):
    clock.freeze()
    account, zone = customer(card=DECLINED)
    for _ in range(CAP_TRIES):
        is_declined(account, zone)
    charges = stripe_calls()["Invoice.pay"]

    with pytest.raises(ChangeRefused) as away:
        submit(wish(account, zone, origin=Origin.SYSTEM, on_session=False))
    waits = submit(wish(account, zone))

    assert charges == CAP_TRIES
    assert [refusal.code for refusal in away.value.refusals] == ["payment_method_required"]
    assert (waits.outcome, bool(waits.client_secret)) == (Outcome.AWAITING_PAYMENT, True)
    assert stripe_calls()["Invoice.pay"] == charges
    now = business.now()
    assert list(tries_of_cards(account.pk, now=now).values()) == [CAP_TRIES]
    assert not tries_of_cards(account.pk, now=now + CAP_PERIOD)


def test_whoever_stores_another_card_buys_with_that(clock, stripe_calls):
    account, zone = customer(card=DECLINED)
    for _ in range(CAP_TRIES):
        is_declined(account, zone)
    store_test_card(account.pk, number=GOOD, actor="system:tests", now=business.now())

    assert submit(wish(account, zone)).outcome is Outcome.COMMITTED
