"""Prove in test mode that Stripe's settings are as they must be: a declining card, and a clock that is moved."""

from datetime import datetime, timedelta
from uuid import uuid4

from ..cfstripe import customers, invoices, payment_methods, subscriptions, test_clocks
from ..cfstripe.shapes import Raw, read_invoice, read_subscription
from .setup import Seen

GOOD, DECLINED_LATER = "4242424242424242", "4000000000000341"
AFTER_RENEWAL, MUCH_LATER = timedelta(hours=3), timedelta(weeks=4)


def observe(stripe_price_id: str, *, now: datetime) -> Seen:
    """
    Let a renewal fail at Stripe in test mode, wait four weeks of the test clock's time, and return what was seen.

    Everything that is made for it is deleted with its clock. Not in a transaction.

    :raises StripeUnavailable: no answer.
    """
    run = f"setup_{uuid4().hex}"
    clock_id = test_clocks.create(now, key=f"{run}_clock")
    try:
        customer_id = customers.create_for_test(clock_id, key=f"{run}_customer")
        good = payment_methods.attach_test_card(customer_id, number=GOOD, key=f"{run}_good")
        params = {
            "customer": customer_id,
            "items": [{"price": stripe_price_id}],
            "default_payment_method": good.id,
            "payment_behavior": "error_if_incomplete",
        }
        subscription = read_subscription(subscriptions.create(params, key=f"{run}_subscription"))
        bad = payment_methods.attach_test_card(customer_id, number=DECLINED_LATER, key=f"{run}_bad")
        subscriptions.set_default_method(subscription.id, bad.id, key=run)
        end = subscription.items[0].period_end
        test_clocks.advance(clock_id, end + AFTER_RENEWAL, key=f"{run}_renew")
        renewal = invoices.of_subscription(subscription.id, limit=1)[0]
        status = subscriptions.retrieve(subscription.id)["status"]
        test_clocks.advance(clock_id, end + MUCH_LATER, key=f"{run}_later")
        later = invoices.retrieve(renewal["id"])
        return _seen(renewal, status, later, subscriptions.retrieve(subscription.id)["status"])
    finally:
        test_clocks.delete(clock_id)


def _seen(renewal: Raw, status: str, later: Raw, later_status: str) -> Seen:
    return Seen(
        subscription_status=status,
        invoice_status=read_invoice(renewal).status,
        attempts=renewal["attempt_count"],
        next_attempt_planned=renewal.get("next_payment_attempt") is not None,
        later_subscription_status=later_status,
        later_invoice_status=read_invoice(later).status,
        later_attempts=later["attempt_count"],
    )
