"""What costs nothing by itself: billed by use, with a method first; or paid for by what is bought with it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.models import Account
from billing.changes_calculator.request import ChangeRefused, ComponentValue, ObjectKind, Outcome
from billing.changes_calculator.resume import resume_due
from billing.changes_calculator.submit import submit
from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.invoices import Invoice
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from billing.objectproducts.state import OpeState
from billing.subscriptions import SubscriptionState, subscriptions_of_accounts
from config import clock as business
from config.passing_time import pass_time
from entitlements.models import Entitlement
from tests.billing.people import customer, wish
from tests.guard import unguarded

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def for_account(account, zone, plan_name, *, components=(), **details):
    asked = wish(account, zone, plan_name=plan_name, interval_name=None, components=components, **details)
    want = replace(asked.wants[0], object_kind=ObjectKind.ACCOUNT, object_id=account.pk)
    return replace(asked, wants=(want,))


def shown(account, plan_id):
    return next(each for each in subscriptions_of_accounts([account.pk]) if each.plan.id == plan_id)


def test_with_a_method_it_begins_at_once_without_a_call(stripe_calls):
    account, zone = customer()
    before = stripe_calls()

    result = submit(for_account(account, zone, "r2_paid"))

    assert (result.outcome, stripe_calls()) == (Outcome.COMMITTED, before)
    r2 = Ope.objects.get(account=account, product="r2_paid")
    assert (r2.license_source_id, r2.state) == ("USER:usage", OpeState.GRANTED)


@pytest.fixture
def asked():
    account, zone = customer(card=None)
    request = for_account(account, zone, "r2_paid")
    return account, zone, submit(request)


def test_without_a_method_the_customer_confirms_one_first(asked, sandbox, clock):
    account, zone, result = asked
    clock.freeze()
    assert result.outcome is Outcome.AWAITING_PAYMENT
    assert result.client_secret.startswith("seti_")
    assert not Ope.objects.filter(account=account, product="r2_paid").exists()
    assert (shown(account, "r2_paid").state, shown(account, "r2_paid").client_secret) == (
        SubscriptionState.AWAITING_PAYMENT,
        result.client_secret,
    )
    assert submit(for_account(account, zone, "r2_paid")).workflow_id == result.workflow_id

    said = {"client_secret": result.client_secret, "outcome": "complete", "card": "visa"}
    sandbox.post("/_sandbox/authenticate", said)
    list(pass_time(business.now()))

    assert Ope.objects.get(account=account, product="r2_paid").license_source_id == "USER:usage"
    assert ChangeWorkflow.objects.get(pk=result.workflow_id).step == "committed"
    assert PaymentMethod.objects.filter(account=account, is_usable=True).count() == 1
    assert not Invoice.objects.filter(account=account).exists()


def test_a_confirmation_that_nobody_told_us_of_is_found(asked, sandbox):
    account, _, result = asked
    said = {"client_secret": result.client_secret, "outcome": "complete", "card": "visa"}
    sandbox.post("/_sandbox/authenticate", said)

    while resume_due(now=business.now() + timedelta(minutes=10)):
        continue

    assert ChangeWorkflow.objects.get(pk=result.workflow_id).step == "committed"
    assert Ope.objects.filter(account=account, product="r2_paid").count() == 1


def test_what_nobody_confirms_is_given_up_at_stripe_too(asked, sandbox, clock):
    account, zone, result = asked

    clock.advance(hours=23, minutes=1)
    while resume_due(now=business.now()):
        continue

    workflow = ChangeWorkflow.objects.get(pk=result.workflow_id)
    assert (workflow.step, workflow.client_secret) == ("expired", "")
    assert sandbox.get(f"/v1/setup_intents/{workflow.stripe_setup_intent_id}")["status"] == "canceled"
    assert not ChangeClaim.objects.filter(account=account).exists()
    assert submit(for_account(account, zone, "r2_paid")).workflow_id != result.workflow_id


def test_a_confirmation_in_the_last_moment_is_not_lost(asked, sandbox, clock):
    account, _, result = asked
    clock.advance(hours=23, minutes=1)
    said = {"client_secret": result.client_secret, "outcome": "complete", "card": "visa"}
    sandbox.post("/_sandbox/authenticate", said)

    while resume_due(now=business.now()):
        continue

    assert ChangeWorkflow.objects.get(pk=result.workflow_id).step == "committed"
    assert Ope.objects.filter(account=account, product="r2_paid").exists()


def test_off_session_nobody_can_confirm_one(stripe_calls):
    account, zone = customer(card=None)

    with pytest.raises(ChangeRefused) as refused:
        submit(for_account(account, zone, "r2_paid", on_session=False))

    assert refused.value.code == "payment_method_required"


def test_a_plan_that_costs_nothing_is_paid_when_what_is_bought_with_it_is():
    account, zone = customer()
    submit(for_account(account, zone, "teams_standard"))
    assert shown(account, "teams_standard").state is SubscriptionState.PROVISIONED

    submit(for_account(account, zone, "teams_standard", components=(ComponentValue("users", 3),)))

    seats = Ope.objects.get(account=account, product="users")
    held = shown(account, "teams_standard")
    assert (held.state, held.price_minor) == (SubscriptionState.PAID, 1400)
    assert (held.period_start, held.period_end) == (seats.current.starts_at, seats.current.ends_at)
    bases = Entitlement.objects.filter(account=account, source_ope_id__in=Ope.objects.values("pk").filter(
        account=account, product="teams_standard"
    )).values_list("basis", "valid_until").distinct()  # fmt: skip
    assert set(bases) <= {("paid", seats.current.ends_at)}


def test_a_method_for_an_account_that_was_closed_meanwhile_begins_nothing(asked, sandbox):
    account, _zone, result = asked
    with unguarded():
        Account.objects.filter(pk=account.pk).update(closed_at=business.now())
    said = {"client_secret": result.client_secret, "outcome": "complete", "card": "visa"}
    sandbox.post("/_sandbox/authenticate", said)

    list(pass_time(business.now() + timedelta(minutes=11)))

    workflow = ChangeWorkflow.objects.get(pk=result.workflow_id)
    assert (workflow.step, workflow.refusal_code) == ("declined", "account_closed")
    assert not Ope.objects.filter(account=account, product="r2_paid").exists()
    assert not ChangeClaim.objects.filter(account=account).exists()
