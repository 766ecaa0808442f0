"""A purchase and its own webhooks: whoever is first commits, once; the others find nothing left to do."""

import threading
import time

import pytest
from django.db import connection

from accounts.models import JournalEntry
from billing.changes_calculator.request import Outcome
from billing.changes_calculator.submit import submit
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import Invoice, PaymentAttempt
from billing.models.objectproducts import Ope
from config import clock
from config.passing_time import pass_time
from tests.billing.people import NEEDS_3DS, customer, wish
from tests.guard import unguarded
from webhooks.forwarding import forward_due
from webhooks.models import StripeEvent

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def settle():
    """Let every webhook arrive and everything that is due be done."""
    list(pass_time(clock.now()))


def plan_of(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True).current.value


def kinds(account):
    return list(JournalEntry.objects.filter(account=account).order_by("sequence").values_list("kind", flat=True))


def test_the_events_of_a_purchase_are_kept_once_and_find_nothing_left_to_do():
    account, zone = customer()
    settle()
    before = StripeEvent.objects.filter(account_id=account.pk).count()
    submit(wish(account, zone))
    told = kinds(account)

    settle()

    events = StripeEvent.objects.filter(account_id=account.pk).order_by("received_at")[before:]
    assert {event.type for event in events} >= {
        "customer.subscription.created", "invoice.created", "invoice.finalized", "invoice.paid",
        "payment_intent.succeeded", "customer.subscription.updated",
    }  # fmt: skip
    assert {event.outcome for event in events} == {StripeEvent.Outcome.NOTHING}
    assert kinds(account) == [*told, *["stripe.event_processed"] * len(events)]
    assert plan_of(zone) == "pro"


def test_a_change_that_its_own_webhook_commits_first_is_committed_once():
    account, zone = customer()
    settle()
    told = kinds(account)
    locks_taken, outcomes = [], []

    def let_the_webhook_be_first(execute, sql, params, many, context):
        """Stripe has told of the payment before our thread takes its second lock: the one to commit."""
        if "FOR NO KEY UPDATE" in sql:
            locks_taken.append(sql)
            if len(locks_taken) == 2:
                in_another_thread(lambda: outcomes.append(forwarded_payment(account)))
        return execute(sql, params, many, context)

    # Who comes second sends a statement that finds nothing to end; the guard can't see that it hit no row.
    with connection.execute_wrapper(let_the_webhook_be_first), unguarded():
        result = submit(wish(account, zone))

    settle()
    assert outcomes == [StripeEvent.Outcome.CHANGED]
    assert result.outcome is Outcome.COMMITTED
    assert kinds(account)[len(told) :].count("change.committed") == 1
    assert (
        Invoice.objects.filter(account=account).count() == PaymentAttempt.objects.filter(account=account).count() == 1
    )
    assert plan_of(zone) == "pro"


def test_a_payment_that_the_customer_confirms_is_committed_by_its_webhook(sandbox):
    account, zone = customer(card=NEEDS_3DS)
    settle()
    waiting = submit(wish(account, zone))
    assert (waiting.outcome, plan_of(zone)) == (Outcome.AWAITING_PAYMENT, "free")

    sandbox.post("/_sandbox/authenticate", {"client_secret": waiting.client_secret, "outcome": "complete"})
    settle()

    paid = StripeEvent.objects.get(account_id=account.pk, type="invoice.paid")
    assert paid.outcome == StripeEvent.Outcome.CHANGED
    assert plan_of(zone) == "pro"
    assert ChangeWorkflow.objects.get(account=account).finished_at is not None


def forwarded_payment(account):
    """Wait for the event that tells of the payment, forward it, and return what became of it."""
    told = StripeEvent.objects.filter(
        type="invoice.paid", payload__data__object__customer=account.customer.stripe_customer_id
    )
    give_up_at = time.monotonic() + 10
    while not told.exists():
        assert time.monotonic() < give_up_at, "Stripe told of no payment"
    while forward_due(now=clock.now()):
        continue
    return told.get().outcome


def in_another_thread(act):
    def run():
        act()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=30)
