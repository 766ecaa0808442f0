"""A change that waits for its customer makes way: for another that they want, for the end of the period, for an agent."""

from datetime import timedelta

import pytest

from accounts import claim as leases
from accounts.lock import AccountBusy
from accounts.models import JournalEntry
from billing.add_zone import add_zone
from billing.cfstripe import invoices, subscriptions
from billing.changes_calculator.request import ChangeRefused, Outcome
from billing.changes_calculator.submit import submit
from billing.changes_calculator.supersede import BY_AN_AGENT, abandon
from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from billing.payments.methods import store_test_card
from config import clock as business
from config.passing_time import pass_time
from tests.billing.people import GOOD, NEEDS_3DS, customer, wish

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def plan_of(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True).current.value


def pay_with(account, number):
    store_test_card(account.pk, number=number, actor="system:tests", now=business.now())


def waiting(account, zone, plan_name="pro"):
    result = submit(wish(account, zone, plan_name=plan_name))
    assert result.outcome is Outcome.AWAITING_PAYMENT
    return ChangeWorkflow.objects.get(pk=result.workflow_id)


def assert_given_up(workflow):
    workflow.refresh_from_db()
    assert (workflow.step, workflow.refusal_code, workflow.client_secret) == ("abandoned", "change_abandoned", "")
    assert invoices.retrieve(workflow.stripe_invoice_id)["status"] == "void"
    assert JournalEntry.objects.filter(cause=workflow.pk, kind="change.abandoned").count() == 1
    assert not ChangeClaim.objects.filter(workflow=workflow).exists()


def test_a_purchase_that_waits_is_given_up_for_another():
    account, zone = customer(card=NEEDS_3DS)
    first = waiting(account, zone)
    pay_with(account, GOOD)

    result = submit(wish(account, zone, plan_name="business", supersedes=True))

    assert result.outcome is Outcome.COMMITTED
    assert plan_of(zone) == "business"
    assert_given_up(first)
    assert subscriptions.retrieve(first.stripe_subscription["id"])["status"] == "incomplete_expired"
    assert list(Invoice.objects.filter(account=account).values_list("total_minor", flat=True)) == [25000]


def test_an_upgrade_that_waits_is_given_up_for_another_zone_of_its_clock():
    account, zone = customer()
    submit(wish(account, zone))
    other = add_zone(account.pk, name=f"other-{zone.name}", actor="system:tests", now=business.now())
    pay_with(account, NEEDS_3DS)
    first = waiting(account, zone, "business")
    pay_with(account, GOOD)

    submit(wish(account, other, supersedes=True))

    assert (plan_of(zone), plan_of(other)) == ("pro", "pro")
    assert_given_up(first)


def test_who_wants_what_there_is_gives_up_what_waits():
    account, zone = customer()
    submit(wish(account, zone))
    pay_with(account, NEEDS_3DS)
    first = waiting(account, zone, "business")

    result = submit(wish(account, zone, supersedes=True))

    assert result.outcome is Outcome.UNCHANGED
    assert_given_up(first)


def test_nobody_else_takes_its_place():
    account, zone = customer(card=NEEDS_3DS)
    first = waiting(account, zone)

    with pytest.raises(ChangeRefused) as refused:
        submit(wish(account, zone, plan_name="business"))

    first.refresh_from_db()
    assert (refused.value.code, first.step) == ("change_in_flight", "awaiting_payment")


def test_a_request_that_would_be_refused_anyway_gives_nothing_up():
    account, zone = customer(card=NEEDS_3DS)
    first = waiting(account, zone)

    with pytest.raises(ChangeRefused):
        submit(wish(account, zone, plan_name="unheard-of", supersedes=True))

    first.refresh_from_db()
    assert first.step == "awaiting_payment"


def test_one_that_was_paid_meanwhile_is_made_and_the_other_comes_on_top(sandbox):
    account, zone = customer(card=NEEDS_3DS)
    first = waiting(account, zone)
    sandbox.delete("/_sandbox/faults")
    sandbox.post("/_sandbox/faults", {"kind": "webhook_delayed", "type": "invoice.paid", "count": 0, "seconds": 600})
    sandbox.post("/_sandbox/authenticate", {"client_secret": first.client_secret, "outcome": "complete"})
    pay_with(account, GOOD)

    submit(wish(account, zone, plan_name="business", supersedes=True))

    sandbox.delete("/_sandbox/faults")
    first.refresh_from_db()
    assert first.step == "committed"
    assert plan_of(zone) == "business"
    assert min(Invoice.objects.filter(account=account).values_list("total_minor", flat=True)) == 2500


def test_one_that_is_being_made_this_moment_is_not_given_up():
    account, zone = customer(card=NEEDS_3DS)
    first = waiting(account, zone)
    assert leases.take(ChangeWorkflow, first.pk) is not None

    with pytest.raises(AccountBusy):
        submit(wish(account, zone, plan_name="business", supersedes=True))

    assert plan_of(zone) == "free"


def test_the_end_of_the_period_gives_up_what_waits_on_its_clock(clock):
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    other = add_zone(account.pk, name=f"other-{zone.name}", actor="system:tests", now=business.now())
    schedule = BillingSchedule.objects.get(account=account)
    submit(wish(account, zone, plan_name="free"))
    clock.freeze(schedule.next_at - timedelta(hours=7))
    pay_with(account, NEEDS_3DS)
    first = waiting(account, other, "business")  # of less Stripe asks for nothing

    list(pass_time(schedule.next_at - timedelta(hours=5)))

    assert_given_up(first)
    assert subscriptions.retrieve(schedule.stripe_subscription_id)["cancel_at_period_end"] is True


def test_an_agent_gives_one_up_once():
    account, zone = customer(card=NEEDS_3DS)
    first = waiting(account, zone)

    for _ in range(2):
        abandon(first.pk, BY_AN_AGENT, now=business.now())

    assert_given_up(first)
    assert plan_of(zone) == "free"
