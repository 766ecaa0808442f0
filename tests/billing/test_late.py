"""Nobody was at work when a period ended: what was to become smaller before it is put right when somebody is again."""

from datetime import timedelta

import pytest

from billing.add_zone import add_zone
from billing.cfstripe import invoices, subscriptions
from billing.changes_calculator.preview import preview
from billing.changes_calculator.submit import submit
from billing.invoicing.books import Book
from billing.invoicing.ledger import balance_minor
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from billing.models.reversals import CreditNote, Refund
from config import clock as business
from config.passing_time import pass_time
from tests.billing.people import customer, more, wish

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

AWAY = timedelta(minutes=30)


def plan_of(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True).current.value


def bought(plan_name="pro", **details):
    account, zone = customer()
    submit(wish(account, zone, plan_name=plan_name, **details))
    return account, zone, BillingSchedule.objects.get(account=account)


def nobody_works_until(clock, at):
    """Stripe goes on alone; then the workers are back."""
    clock.freeze(at)
    list(pass_time(at + timedelta(hours=3)))


def newest(account):
    return Invoice.objects.filter(account=account).order_by("-created_at").first()


def test_what_was_cancelled_costs_nothing(clock):
    clock.freeze()
    account, zone, schedule = bought(components=more("page_rules", 22))
    submit(wish(account, zone, plan_name="free"))

    nobody_works_until(clock, schedule.next_at + AWAY)

    assert plan_of(zone) == "free"
    invoice = newest(account)
    assert (invoice.reason, invoice.status, invoice.total_minor, invoice.paid_minor) == ("cycle", "paid", 0, 0)
    assert sum(invoice.lines.values_list("amount_minor", flat=True)) == 0
    assert subscriptions.retrieve(schedule.stripe_subscription_id)["status"] == "canceled"
    schedule.refresh_from_db()
    assert schedule.ended_at is not None


def test_what_became_smaller_costs_what_it_is(clock):
    clock.freeze()
    account, zone, schedule = bought("business")
    submit(wish(account, zone, plan_name="pro"))

    nobody_works_until(clock, schedule.next_at + AWAY)

    assert plan_of(zone) == "pro"
    invoice = newest(account)
    assert (invoice.status, invoice.total_minor) == ("paid", 2500)
    assert [line.amount_minor for line in invoice.lines.all()] == [2500]
    assert invoices.retrieve(invoice.stripe_invoice_id)["amount_paid"] == 2500


def test_what_others_have_on_the_clock_is_billed_as_ever(clock):
    clock.freeze()
    account, first, schedule = bought()
    second = add_zone(account.pk, name=f"second-{first.name}", actor="system:tests", now=business.now())
    submit(wish(account, second))
    submit(wish(account, second, plan_name="free"))

    nobody_works_until(clock, schedule.next_at + AWAY)

    assert (plan_of(first), plan_of(second)) == ("pro", "free")
    assert (newest(account).status, newest(account).total_minor) == ("paid", 2500)
    list(pass_time(BillingSchedule.objects.get(account=account).next_at + timedelta(hours=3)))
    assert newest(account).total_minor == 2500
    assert plan_of(first) == "pro"


def test_a_year_that_was_to_end_is_not_billed_again_and_the_month_is(clock):
    clock.freeze()
    account, zone, schedule = bought(interval_name="yearly")
    submit(wish(account, zone, interval_name="monthly"))

    nobody_works_until(clock, schedule.next_at + AWAY)

    paid = Invoice.objects.filter(account=account).order_by("created_at").values_list("total_minor", flat=True)
    assert list(paid) == [24000, 0, 2500]
    assert plan_of(zone) == "pro"


FINALIZED_BY_STRIPE = timedelta(hours=73)


@pytest.mark.parametrize(("plan_name", "left_minor"), [("pro", 2500), ("free", 0)])
def test_what_stripe_has_charged_already_goes_back(clock, plan_name, left_minor):
    clock.freeze()
    account, zone, schedule = bought("business")
    submit(wish(account, zone, plan_name=plan_name))

    nobody_works_until(clock, schedule.next_at + FINALIZED_BY_STRIPE)

    assert plan_of(zone) == plan_name
    invoice = newest(account)
    assert (invoice.reason, invoice.status, invoice.total_minor, invoice.paid_minor) == ("cycle", "paid", 25000, 25000)
    note = CreditNote.objects.get(invoice=invoice)
    assert (note.status, note.to_method_minor) == ("issued", 25000 - left_minor)
    assert Refund.objects.get(account=account).amount_minor == 25000 - left_minor
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 0
    assert balance_minor(account.pk, Book.REFUND_DUE, currency="usd") == 0
    ended = subscriptions.retrieve(schedule.stripe_subscription_id)["status"] == "canceled"
    assert ended is (plan_name == "free")


def test_what_stripe_could_not_charge_is_owed_no_more(clock, sandbox):
    clock.freeze()
    account, zone, schedule = bought("business")
    submit(wish(account, zone))
    method = PaymentMethod.objects.get(account=account)
    said = {"payment_method": method.processor_id, "outcome": "generic_decline"}
    sandbox.post("/_sandbox/payment_methods", said)

    nobody_works_until(clock, schedule.next_at + FINALIZED_BY_STRIPE)

    invoice = newest(account)
    assert (invoice.status, invoice.total_minor, invoice.remaining_minor) == ("open", 25000, 2500)
    assert CreditNote.objects.get(invoice=invoice).off_debt_minor == 22500


@pytest.mark.parametrize("away", [AWAY, FINALIZED_BY_STRIPE], ids=["draft", "finalised"])
@pytest.mark.parametrize("stays", [False, True], ids=["nothing stays", "another stays"])
def test_a_clock_that_was_left_before_nobody_worked_is_not_billed_for_what_left(clock, away, stays):
    clock.freeze()
    account, zone, schedule = bought()
    if stays:
        other = add_zone(account.pk, name=f"other-{zone.name}", actor="system:tests", now=business.now())
        submit(wish(account, other))
    clock.freeze(schedule.next_at - timedelta(hours=8))
    submit(wish(account, zone, interval_name="yearly"))

    nobody_works_until(clock, schedule.next_at + away)

    renewal = Invoice.objects.get(account=account, reason="cycle")
    given_back = sum(Refund.objects.filter(account=account).values_list("amount_minor", flat=True))
    assert renewal.status == "paid"
    assert renewal.paid_minor - given_back == (2500 if stays else 0)
    assert subscriptions.retrieve(schedule.stripe_subscription_id)["status"] == ("active" if stays else "canceled")
    if stays:
        asked = wish(account, other, "business")
        expected = preview(asked)
        submit(asked)
        assert newest(account).total_minor == expected.due_now_minor > 0
