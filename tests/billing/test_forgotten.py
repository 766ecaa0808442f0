"""A day after a call without an answer Stripe has forgotten its key: what was done is found, what was not is not done."""

from datetime import timedelta

import pytest

from billing.changes_calculator.request import PaymentUnavailable
from billing.changes_calculator.resume import resume_due
from billing.changes_calculator.submit import submit
from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.invoices import Invoice
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
