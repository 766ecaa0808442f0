"""A day after a call without an answer Stripe has forgotten its key: what was done is found, what was not is not done."""

from datetime import timedelta

import pytest

from accounts.models import SubsStuckEvent
from billing.cfstripe import subscriptions
from billing.changes_calculator.request import PaymentUnavailable
from billing.changes_calculator.resume import resume_due
from billing.changes_calculator.submit import submit
from billing.changes_calculator.supersede import BY_AN_AGENT, abandon
from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from config import clock as business
from tests.billing.people import customer, wish

pytestmark = pytest.mark.usefixtures("story", "catalog")

TRIES = 3  # the SDK's own
CALLS = [
    # the call               bought before   what Stripe does   what is owned
    ("Subscription.create",  False,          "cut",             "pro"),
    ("Subscription.create",  False,          "server_error",    "free"),
    ("Subscription.update",  True,           "cut",             "business"),
    ("Subscription.update",  True,           "server_error",    "pro"),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "is_bought", "fault", "owned"), CALLS)
def test_a_day_later_what_was_done_counts(clock, sandbox, stripe_calls, operation, is_bought, fault, owned):
    clock.freeze()
    account, zone = customer()
    if is_bought:
        submit(wish(account, zone))
    sandbox.post("/_sandbox/faults", {"kind": fault, "operation": operation, "count": TRIES})
    asked = wish(account, zone, plan_name="business" if is_bought else "pro", on_session=is_bought)
    with pytest.raises(PaymentUnavailable):
        submit(asked)
    sandbox.delete("/_sandbox/faults")
    before = stripe_calls()

    clock.advance(hours=25)
    while resume_due(now=business.now() + timedelta(hours=1)):
        continue

    assert (stripe_calls() - before)[operation] == 0
    assert Ope.objects.get(object_id=zone.pk, deleted_date__isnull=True).current.value == owned
    assert ChangeWorkflow.objects.get(pk=asked.id).finished_at is not None
    assert not ChangeClaim.objects.filter(account=account).exists()
    assert Invoice.objects.filter(account=account).count() == is_bought + (fault == "cut")


def test_what_is_neither_done_nor_undone_waits_for_somebody_who_looks(clock, sandbox):
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    schedule = BillingSchedule.objects.get(account=account)
    sandbox.post("/_sandbox/faults", {"kind": "server_error", "operation": "Subscription.update", "count": TRIES})
    asked = wish(account, zone, plan_name="business")
    with pytest.raises(PaymentUnavailable):
        submit(asked)
    sandbox.delete("/_sandbox/faults")
    (item,) = subscriptions.retrieve(schedule.stripe_subscription_id)["items"]["data"]
    by_hand = {"items": [{"id": item["id"], "quantity": 7}], "proration_behavior": "none"}
    subscriptions.update(schedule.stripe_subscription_id, by_hand, key=f"by_hand_{asked.id}")

    clock.advance(hours=25)
    for hours in (1, 12):
        resume_due(now=business.now() + timedelta(hours=hours))

    workflow = ChangeWorkflow.objects.get(pk=asked.id)
    assert (workflow.step, workflow.refusal_code) == ("planned", "outcome_unclear")
    assert ChangeClaim.objects.filter(account=account).exists()
    assert SubsStuckEvent.objects.get(external_id=asked.id).kind == "change.outcome_unclear"

    abandon(asked.id, BY_AN_AGENT, now=business.now())
    workflow.refresh_from_db()
    assert workflow.step == "abandoned"
    assert Ope.objects.get(object_id=zone.pk, deleted_date__isnull=True).current.value == "pro"
    assert not ChangeClaim.objects.filter(account=account).exists()
