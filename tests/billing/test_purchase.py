"""A first purchase, from the wish to the commit, at the real sandbox."""

import pytest

from accounts.models import JournalEntry
from billing.changes_calculator.request import ChangeRefused, Outcome, PaymentDeclined
from billing.changes_calculator.steps import Step
from billing.changes_calculator.submit import submit
from billing.invoicing.books import Book
from billing.invoicing.ledger import balance_minor
from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.invoices import BillingSchedule, Invoice, PaymentAttempt
from billing.models.objectproducts import Ope
from billing.objectproducts.state import OpeState
from entitlements.models import Entitlement
from tests.billing.people import DECLINED, NEEDS_3DS, customer, more, wish
from tests.counting import count_statements

pytestmark = pytest.mark.usefixtures("story", "catalog")


def plan_element(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True)


def granted(zone):
    return dict(Entitlement.objects.filter(zone_id=zone.pk).values_list("feature", "value"))


def test_a_new_zone_is_free_from_the_first_moment():
    _, zone = customer(card=None)

    element = plan_element(zone)

    assert (element.current.value, element.state) == ("free", OpeState.GRANTED)
    assert granted(zone)["rules.page_rules"] == 3


def test_a_purchase_with_a_stored_card_commits_everything_at_once(stripe_calls):
    account, zone = customer()
    before = stripe_calls()
    asked = wish(account, zone)

    with count_statements() as statements:
        result = submit(asked)

    assert result.outcome is Outcome.COMMITTED
    assert len(statements) <= 25
    assert stripe_calls() - before == {"Subscription.create": 1, "Invoice.pay": 1}
    element = plan_element(zone)
    assert (element.current.value, element.current.amount_minor, element.state) == ("pro", 2500, OpeState.ACTIVE)
    assert element.current.ends_at > element.current.starts_at
    assert granted(zone)["rules.page_rules"] == 20
    invoice = Invoice.objects.get(account=account)
    assert (invoice.status, invoice.total_minor, invoice.paid_minor, invoice.reason) == ("paid", 2500, 2500, "purchase")
    assert [(line.ope_id, line.amount_minor) for line in invoice.lines.all()] == [(element.pk, 2500)]
    assert BillingSchedule.objects.get(account=account).next_at == element.current.ends_at
    assert PaymentAttempt.objects.get(invoice=invoice).status == PaymentAttempt.Status.SUCCEEDED
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 0
    assert balance_minor(account.pk, Book.CASH_STRIPE, currency="usd") == 2500
    assert not ChangeClaim.objects.filter(account=account).exists()


def test_asking_again_changes_nothing(stripe_calls):
    account, zone = customer()
    submit(wish(account, zone))
    before = stripe_calls()

    again = submit(wish(account, zone, plan_name="CF_PRO_20_20", interval_name="Monthly"))

    assert again.outcome is Outcome.UNCHANGED
    assert stripe_calls() == before
    assert Invoice.objects.filter(account=account).count() == 1


def test_components_beyond_what_the_plan_includes_are_lines_of_their_own():
    account, zone = customer()

    submit(wish(account, zone, components=more("page_rules", 25)))

    lines = Invoice.objects.get(account=account).lines.order_by("amount_minor")
    assert [(line.quantity, line.amount_minor) for line in lines] == [(5, 500), (1, 2500)]
    assert granted(zone)["rules.page_rules"] == 25


def test_a_declined_card_leaves_nothing_but_the_workflow_and_the_journal():
    account, zone = customer(card=DECLINED)

    with pytest.raises(PaymentDeclined) as refused:
        submit(wish(account, zone))

    assert refused.value.code == "payment_declined"
    workflow = ChangeWorkflow.objects.get(account=account)
    assert (workflow.step, workflow.client_secret) == (Step.DECLINED.value, "")
    assert plan_element(zone).state is OpeState.GRANTED
    assert plan_element(zone).current.value == "free"
    for model in (Invoice, BillingSchedule, PaymentAttempt, ChangeClaim):
        assert not model.objects.filter(account=account).exists()
    assert JournalEntry.objects.filter(account=account).order_by("-sequence").first().kind == "change.declined"


def test_after_a_decline_another_try_is_a_new_change():
    account, zone = customer(card=DECLINED)
    with pytest.raises(PaymentDeclined):
        submit(wish(account, zone))

    with pytest.raises(PaymentDeclined):
        submit(wish(account, zone))

    assert ChangeWorkflow.objects.filter(account=account, step=Step.DECLINED.value).count() == 2


def test_a_bank_that_asks_makes_the_change_wait_and_nothing_is_committed():
    account, zone = customer(card=NEEDS_3DS)

    result = submit(wish(account, zone))

    assert result.outcome is Outcome.AWAITING_PAYMENT
    assert result.client_secret.startswith("pi_")
    assert plan_element(zone).state is OpeState.CHANGING
    assert plan_element(zone).current.value == "free"
    assert not Invoice.objects.filter(account=account).exists()


def test_asking_again_while_it_waits_answers_the_same_change():
    account, zone = customer(card=NEEDS_3DS)
    first = submit(wish(account, zone))

    again = submit(wish(account, zone))

    assert again == first


def test_another_change_of_the_object_is_refused_while_one_waits():
    account, zone = customer(card=NEEDS_3DS)
    submit(wish(account, zone))

    with pytest.raises(ChangeRefused) as refused:
        submit(wish(account, zone, plan_name="business"))

    assert refused.value.code == "change_in_flight"


def test_a_first_purchase_of_a_new_customer_is_two_calls_and_without_a_card_waits(stripe_calls):
    account, zone = customer(card=None)
    before = stripe_calls()

    result = submit(wish(account, zone))

    assert result.outcome is Outcome.AWAITING_PAYMENT
    assert stripe_calls() - before == {"Customer.create": 1, "Subscription.create": 1}
