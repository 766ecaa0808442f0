"""Who must give a payment method first is charged to no stored one, on a clock that runs too."""

from datetime import timedelta

import pytest

from accounts.models import SubsAccount
from billing.add_zone import add_zone
from billing.changes_calculator.request import Outcome
from billing.changes_calculator.resume import resume_due
from billing.changes_calculator.submit import submit
from billing.changes_calculator.supersede import BY_AN_AGENT, abandon
from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.invoices import Invoice
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from config import clock as business
from config.passing_time import pass_time
from tests.billing.people import customer, wish
from tests.guard import unguarded
from tests.invariants import assert_hold

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def plan_of(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True).current.value


def require_method(account):
    with unguarded():
        SubsAccount.objects.filter(pk=account.pk).update(payment_method_required_at=business.now())


@pytest.fixture
def asked(clock):
    """Somebody with Pro, who must give a method first, wants Business."""
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    list(pass_time(business.now() + timedelta(days=1)))
    require_method(account)
    return account, zone, submit(wish(account, zone, "business"))


def confirm(sandbox, secret, **how):
    sandbox.post("/_sandbox/authenticate", {"client_secret": secret, "outcome": "complete"} | how)


def test_nothing_is_charged_before_a_method_is_confirmed_and_then_that_one_is(asked, sandbox):
    account, zone, result = asked
    stored = PaymentMethod.objects.get(account=account)

    assert (result.outcome, result.client_secret[:5]) == (Outcome.AWAITING_PAYMENT, "seti_")
    assert (plan_of(zone), Invoice.objects.filter(account=account).count()) == ("pro", 1)
    assert submit(wish(account, zone, "business")).workflow_id == result.workflow_id

    confirm(sandbox, result.client_secret, card="visa")
    list(pass_time(business.now()))

    workflow = ChangeWorkflow.objects.get(pk=result.workflow_id)
    paid_with = PaymentMethod.objects.get(account=account, is_default=True)
    assert (plan_of(zone), workflow.step) == ("business", "committed")
    assert workflow.plan["method_id"] == paid_with.pk != stored.pk
    assert Invoice.objects.filter(account=account, reason="change", status="paid").count() == 1
    assert_hold(sandbox, account)


def test_a_confirmation_that_nobody_told_us_of_is_found(asked, sandbox):
    _, zone, result = asked
    sandbox.post("/_sandbox/faults", {"kind": "webhook_dropped", "count": 50})
    confirm(sandbox, result.client_secret, card="visa")

    while resume_due(now=business.now() + timedelta(minutes=10)):
        continue

    assert plan_of(zone) == "business"


def test_what_nobody_confirms_is_given_up_and_charged_nothing(asked, clock):
    account, zone, result = asked

    clock.advance(hours=23, minutes=1)
    while resume_due(now=business.now()):
        continue

    assert ChangeWorkflow.objects.get(pk=result.workflow_id).step == "expired"
    assert (plan_of(zone), Invoice.objects.filter(account=account).count()) == ("pro", 1)
    assert not ChangeClaim.objects.filter(account=account).exists()


def test_a_method_confirmed_for_what_is_given_up_is_kept_and_not_charged(asked, sandbox):
    account, zone, result = asked
    confirm(sandbox, result.client_secret, card="visa")

    abandon(result.workflow_id, BY_AN_AGENT, now=business.now())
    list(pass_time(business.now()))

    assert ChangeWorkflow.objects.get(pk=result.workflow_id).step == "abandoned"
    assert (plan_of(zone), Invoice.objects.filter(account=account).count()) == ("pro", 1)
    assert PaymentMethod.objects.filter(account=account).count() == 2
    assert_hold(sandbox, account)


def test_a_second_zone_and_another_interval_ask_first_too(asked, sandbox):
    account, zone, result = asked
    abandon(result.workflow_id, BY_AN_AGENT, now=business.now())
    second = add_zone(account.pk, name=f"second-{zone.name}", actor="system:tests", now=business.now())

    joins = submit(wish(account, second))

    assert joins.client_secret.startswith("seti_")
    assert plan_of(second) == "free"
    abandon(joins.workflow_id, BY_AN_AGENT, now=business.now())
    yearly = submit(wish(account, zone, interval_name="yearly"))
    assert yearly.client_secret
    assert Invoice.objects.filter(account=account, status="paid").count() == 1
