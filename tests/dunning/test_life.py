"""The brain in the life of an account: a card that declines, five retries in five days, the end, and the way back."""

from datetime import timedelta
from uuid import uuid4

import pytest

from accounts.models import Notice, SubsAccount
from billing.add_zone import add_zone
from billing.cfstripe import setup_intents
from billing.changes_calculator.request import ChangeRefused
from billing.changes_calculator.submit import submit
from billing.models.invoices import BillingSchedule, Invoice, InvoiceDue, PaymentAttempt
from billing.models.mandates import Mandate
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from billing.models.reversals import CreditNote
from billing.payments.methods import store_test_card
from billing.payments.pay_bad_debt import pay_bad_debt
from config.passing_time import pass_time
from dunning.models.actions import DunningAction
from dunning.models.conclusions import SubsDunning
from tests.billing.people import customer, wish
from tests.dunning.test_apply import paid_features, standing
from tests.guard import unguarded

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def turn(sandbox, account, outcome):
    for method in PaymentMethod.objects.filter(account=account):
        sandbox.post("/_sandbox/payment_methods", {"payment_method": method.processor_id, "outcome": outcome})


def buyer(clock, interval="monthly"):
    """An account that has bought Pro, and when its period ends."""
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone, interval_name=interval))
    return account, zone, BillingSchedule.objects.get(account=account).next_at


def renewal(account):
    return Invoice.objects.get(account=account, reason="cycle")


def failed_after_hours(account):
    """When the charges of the renewal failed, in whole hours after the first."""
    times = list(
        PaymentAttempt.objects.filter(invoice=renewal(account))
        .order_by("started_at")
        .values_list("started_at", flat=True)
    )
    return [round((at - times[0]).total_seconds() / 3600) for at in times]


def confirm(account, method):
    """The customer confirms a stored method for later charges."""
    params = {
        "customer": account.customer.stripe_customer_id,
        "payment_method": method.processor_id,
        "confirm": True,
        "usage": "off_session",
    }
    intent = setup_intents.create(params, key=uuid4().hex)
    assert intent["status"] == "succeeded"
    return intent


def test_a_card_that_declines_is_charged_six_times_in_five_days_and_then_it_ends(clock, sandbox):
    account, zone, end = buyer(clock)
    turn(sandbox, account, "insufficient_funds")

    list(pass_time(end + timedelta(days=5) - timedelta(hours=1)))
    before_the_last = standing(account)
    list(pass_time(end + timedelta(days=7)))

    assert failed_after_hours(account) == [0, 24, 48, 72, 96, 120]
    assert before_the_last == ("retrying", 5, False, False, False, False)
    assert standing(account) == ("bad_debt", 6, True, True, True, True)
    plan = Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True)
    assert (plan.current.value, plan.license_source_id, plan.current.amount_minor) == ("free", "USER:free", 0)
    note = CreditNote.objects.get(invoice=renewal(account))
    days = (renewal(account).period_end.date() - renewal(account).period_start.date()).days
    assert note.total_minor == (2500 * (days - 5) * 2 + days) // (2 * days)
    assert Notice.objects.get(account=account, kind="bad_debt").facts["amount_minor"] == 2500 - note.total_minor
    assert not InvoiceDue.objects.filter(invoice=renewal(account)).exists()
    asked = [
        (each.kind, each.facts.get("told"), each.facts.get("level"))
        for each in DunningAction.objects.filter(account=account).order_by("asked_at", "rank")
    ]
    assert asked == [
        *(("notify", "payment_failed", level) for level in range(1, 6)),
        ("credit_note", None, None),
        ("mark_uncollectible", None, None),
        ("mirror", None, None),
        ("cancel_items", None, None),
        ("notify", "bad_debt", 6),
    ]


def test_a_yearly_plan_paid_ahead_survives_a_monthly_debt(clock, sandbox):
    account, zone, end = buyer(clock)
    other = add_zone(account.pk, name=f"{uuid4().hex}.example", actor="system:tests", now=clock.now())
    submit(wish(account, other, interval_name="yearly"))
    turn(sandbox, account, "insufficient_funds")

    list(pass_time(end + timedelta(days=6)))

    plans = {each.object_id: each.current.value for each in Ope.objects.filter(account=account, product="zone_plans")}
    assert plans == {zone.pk: "free", other.pk: "pro"}
    assert standing(account)[:4] == ("bad_debt", 6, True, True)
    assert not paid_features(account), "suspended"

    turn(sandbox, account, "ok")
    pay_bad_debt(account.pk, now=clock.now())
    list(pass_time(clock.now()))

    assert standing(account) == ("clear", 0, False, False, False, False)
    assert paid_features(account), "restored, and nothing was charged for it"


@pytest.mark.parametrize(
    ("outcome", "hours"),
    [("processing_error", [0, 1, 2, 24, 25, 26]), ("lost_card", [0]), ("expired_card", [0])],
)
def test_the_code_says_when_a_charge_is_repeated(clock, sandbox, outcome, hours):
    account, _, end = buyer(clock)
    turn(sandbox, account, outcome)

    list(pass_time(end + timedelta(hours=27)))

    assert failed_after_hours(account) == hours
    status = SubsDunning.objects.get(pk=account.pk).status
    assert status == ("retrying" if len(hours) > 1 else "action_required")


def test_a_new_card_is_charged_at_once(clock, sandbox):
    account, _, end = buyer(clock)
    turn(sandbox, account, "lost_card")
    list(pass_time(end + timedelta(hours=30)))
    assert standing(account) == ("action_required", 1, False, False, False, True)

    store_test_card(account.pk, number="5555555555554444", actor="system:tests", now=clock.now())
    list(pass_time(clock.now()))

    assert renewal(account).status == "paid"
    assert standing(account) == ("clear", 0, False, False, False, False)


def test_a_mandate_that_was_revoked_is_not_charged_and_a_new_one_is_at_once(clock, sandbox):
    account, _, end = buyer(clock)
    method = PaymentMethod.objects.get(account=account)
    intent = confirm(account, method)
    list(pass_time(clock.now()))
    assert Mandate.objects.get(method=method).status == "active"

    sandbox.post("/_sandbox/mandates", {"mandate": intent["mandate"], "status": "inactive"})
    list(pass_time(end + timedelta(hours=2)))

    assert not PaymentAttempt.objects.filter(invoice=renewal(account)).exists()
    assert standing(account) == ("action_required", 0, False, False, False, True)

    turn(sandbox, account, "ok")
    confirm(account, method)
    list(pass_time(clock.now()))

    assert renewal(account).status == "paid"
    assert standing(account)[:1] == ("clear",)


def test_who_must_give_a_method_first_gets_a_secret_to_confirm_with(clock, stripe_calls):
    clock.freeze()
    account, zone = customer()
    with unguarded():
        SubsAccount.objects.filter(pk=account.pk).update(payment_method_required_at=clock.now())

    outcome = submit(wish(account, zone))

    assert outcome.client_secret
    assert Ope.objects.get(object_id=zone.pk, product="zone_plans").current.value == "free"
    with pytest.raises(ChangeRefused) as refused:
        submit(wish(account, zone, on_session=False))
    assert refused.value.code in {"payment_method_required", "change_in_flight"}
