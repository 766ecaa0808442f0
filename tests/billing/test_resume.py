"""Changes that stand still, taken on by the sweep: nothing is lost, nothing is done twice."""

from datetime import timedelta

import pytest

from accounts import claim as leases
from accounts.lock import account_lock
from billing.cfstripe import invoices
from billing.changes_calculator import workflows
from billing.changes_calculator.gather import gather
from billing.changes_calculator.plan import plan
from billing.changes_calculator.request import Outcome
from billing.changes_calculator.resume import payment_confirmed, resume_due
from billing.changes_calculator.steps import Step
from billing.changes_calculator.submit import submit
from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.invoices import Invoice, PaymentAttempt
from billing.models.ledger import LedgerTransaction
from billing.models.objectproducts import Ope
from billing.objectproducts.state import OpeState
from config import clock as business
from tests.billing.people import NEEDS_3DS, customer, wish
from tests.crash_points import boundaries, raise_at
from tests.guard import unguarded

pytestmark = pytest.mark.usefixtures("story", "catalog")


def plan_element(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True)


def begun_and_left_behind(account, zone):
    """The first committed step of a purchase, by a process that died right after it."""
    asked = wish(account, zone)
    with account_lock(account.pk), unguarded():
        snapshot = gather(asked)
        workflow = workflows.begin(asked, plan(asked, snapshot), stripe_customer_id=snapshot.stripe_customer_id)
    leases.give_back(workflow)
    return workflow


def waiting(account, zone):
    result = submit(wish(account, zone))
    assert result.outcome is Outcome.AWAITING_PAYMENT
    return ChangeWorkflow.objects.get(pk=result.workflow_id)


def confirm(sandbox, workflow, outcome="complete"):
    sandbox.post("/_sandbox/authenticate", {"client_secret": workflow.client_secret, "outcome": outcome})


def sweep(*, later=timedelta(0)):
    while resume_due(now=business.now() + later):
        continue


def assert_bought_once(account, zone):
    assert plan_element(zone).state is OpeState.ACTIVE
    assert plan_element(zone).current.value == "pro"
    assert Invoice.objects.filter(account=account, status="paid").count() == 1
    assert PaymentAttempt.objects.filter(account=account).count() == 1
    assert LedgerTransaction.objects.filter(account=account).count() == 2
    assert not ChangeClaim.objects.filter(account=account).exists()


def assert_nothing_left(account, zone):
    assert plan_element(zone).state is OpeState.GRANTED
    assert plan_element(zone).current.value == "free"
    assert not Invoice.objects.filter(account=account).exists()
    assert not ChangeClaim.objects.filter(account=account).exists()


def test_a_change_left_behind_before_the_first_call_is_made():
    account, zone = customer()
    begun_and_left_behind(account, zone)

    sweep()

    assert_bought_once(account, zone)


def test_a_customer_who_asks_again_takes_the_change_on():
    account, zone = customer()
    workflow = begun_and_left_behind(account, zone)

    result = submit(wish(account, zone))

    assert (result.outcome, result.workflow_id) == (Outcome.COMMITTED, workflow.pk)
    assert_bought_once(account, zone)


def test_a_confirmation_that_nobody_told_us_of_is_found(sandbox):
    account, zone = customer(card=NEEDS_3DS)
    confirm(sandbox, waiting(account, zone))

    sweep(later=timedelta(minutes=10))

    assert_bought_once(account, zone)


def test_a_customer_who_has_not_decided_is_waited_for():
    account, zone = customer(card=NEEDS_3DS)
    workflow = waiting(account, zone)

    sweep(later=timedelta(minutes=10))

    workflow.refresh_from_db()
    assert workflow.step == Step.AWAITING_PAYMENT.value
    assert workflow.next_at > business.now()
    assert plan_element(zone).state is OpeState.CHANGING


def test_a_failed_authentication_can_be_tried_again(sandbox):
    account, zone = customer(card=NEEDS_3DS)
    workflow = waiting(account, zone)
    confirm(sandbox, workflow, outcome="fail")

    sweep(later=timedelta(minutes=10))

    workflow.refresh_from_db()
    assert workflow.step == Step.AWAITING_PAYMENT.value


def test_the_news_and_the_sweep_commit_once(sandbox):
    account, zone = customer(card=NEEDS_3DS)
    workflow = waiting(account, zone)
    confirm(sandbox, workflow)
    raw = invoices.retrieve(workflow.stripe_invoice_id)

    with account_lock(account.pk):
        told = [payment_confirmed(raw, account_id=account.pk, now=business.now()) for _ in range(2)]
    sweep(later=timedelta(minutes=10))

    assert told == [True, False]
    assert_bought_once(account, zone)


def test_an_unpaid_invoice_commits_nothing():
    account, zone = customer(card=NEEDS_3DS)
    raw = invoices.retrieve(waiting(account, zone).stripe_invoice_id)

    with account_lock(account.pk):
        told = payment_confirmed(raw, account_id=account.pk, now=business.now())

    assert told is False
    assert plan_element(zone).state is OpeState.CHANGING


EXPIRY = [
    # so long after the request    the change
    (timedelta(hours=22, minutes=59), Step.AWAITING_PAYMENT),
    (timedelta(hours=23, minutes=1),  Step.EXPIRED),
]  # fmt: skip


@pytest.mark.parametrize(("after", "step"), EXPIRY)
def test_a_payment_that_is_never_confirmed_expires(clock, after, step):
    clock.freeze()
    account, zone = customer(card=NEEDS_3DS)
    workflow = waiting(account, zone)

    clock.advance(seconds=after.total_seconds())
    sweep()

    workflow.refresh_from_db()
    assert workflow.step == step.value
    if step is Step.EXPIRED:
        assert workflow.client_secret == ""
        assert_nothing_left(account, zone)


def test_a_payment_in_the_last_second_is_not_lost(clock, sandbox):
    clock.freeze()
    account, zone = customer(card=NEEDS_3DS)
    workflow = waiting(account, zone)
    clock.advance(hours=22, minutes=59, seconds=59)
    confirm(sandbox, workflow)

    clock.advance(hours=2)
    sweep()

    assert_bought_once(account, zone)


def test_an_invoice_that_somebody_voided_lets_the_change_go():
    account, zone = customer(card=NEEDS_3DS)
    workflow = waiting(account, zone)
    invoices.void(workflow.stripe_invoice_id, key=f"test_{workflow.pk}")

    sweep(later=timedelta(minutes=10))

    workflow.refresh_from_db()
    assert workflow.step == Step.EXPIRED.value
    assert_nothing_left(account, zone)


def test_an_error_right_after_the_first_commit_leaves_the_change_to_whoever_is_next(sandbox):
    account, zone = customer()
    other, their_zone = customer()
    names = boundaries(lambda: submit(wish(other, their_zone)))
    number = next(n for n, name in enumerate(names) if name.startswith("after the commit of") and "submit" in name)
    raise_at(lambda: submit(wish(account, zone)), number)
    workflow = ChangeWorkflow.objects.get(account=account)
    assert workflow.step == "planned"

    resume_due(now=business.now())

    workflow.refresh_from_db()
    assert workflow.step == "committed"
