"""What is granted instead of bought, replaced by a purchase, taken the place of one, and ended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.models import Notice
from billing.add_zone import add_zone
from billing.cfstripe import subscriptions
from billing.changes_calculator.licences import InvalidLicence, Licence
from billing.changes_calculator.preview import preview
from billing.changes_calculator.request import ChangeRefused, Origin, Outcome
from billing.changes_calculator.scheduled import NothingScheduled, take_back
from billing.changes_calculator.submit import submit
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from billing.models.scheduled import Sslc
from billing.objectproducts.state import OpeState
from billing.subscriptions import SubscriptionState, subscription_of_zone
from config import clock as business
from config.passing_time import pass_time
from entitlements.models import Entitlement
from tests.billing.people import DECLINED, customer, more, wish
from tests.counting import count_statements

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

GOODWILL = Licence("ADMIN:goodwill")


def granting(account, zone, plan_name="pro", licence=GOODWILL, **details):
    asked = wish(account, zone, plan_name=plan_name, origin=Origin.NINJAPANEL, actor="agent:tests", **details)
    return replace(asked, wants=tuple(replace(want, licence=licence) for want in asked.wants))


def plan_of(zone):
    return Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True)


def what_is_granted(zone):
    row = Entitlement.objects.get(zone_id=zone.pk, feature="rules.page_rules")
    return row.value, row.basis


def owned(zone):
    return plan_of(zone).current.value, plan_of(zone).state, plan_of(zone).license_source_id


FORMS = [
    # source                ends    becomes  allowed
    ("ADMIN:goodwill",      False,  "",      True),
    ("ADMIN:",              False,  "",      False),
    ("USER:partner",        False,  "",      True),
    ("USER:free",           False,  "",      False),
    ("USER:usage",          False,  "",      False),
    ("USER:trial",          True,   "",      True),
    ("USER:trial",          True,   "pro",   True),
    ("USER:trial",          False,  "",      False),
    ("ADMIN:goodwill",      True,   "",      False),
    ("ADMIN:goodwill",      False,  "pro",   False),
    ("CONTRACT:CONTRACT",   False,  "",      True),
    ("CONTRACT:OTHER",      False,  "",      False),
    ("sub_1:si_1",          False,  "",      False),
]  # fmt: skip


@pytest.mark.parametrize(("source", "ends", "becomes", "allowed"), FORMS)
def test_a_licence_has_a_form(source, ends, becomes, allowed):
    ends_at = business.now() if ends else None

    if allowed:
        assert Licence(source, ends_at, becomes).source == source
    else:
        with pytest.raises(InvalidLicence):
            Licence(source, ends_at, becomes)


@pytest.mark.parametrize("source", ["ADMIN:goodwill", "USER:partner", "CONTRACT:CONTRACT"])
def test_a_licence_is_granted_at_once_and_charges_nothing(stripe_calls, source):
    account, zone = customer(card=None)
    before = stripe_calls()

    with count_statements() as statements:
        result = submit(granting(account, zone, licence=Licence(source)))

    assert len(statements) <= 25
    assert result.outcome is Outcome.COMMITTED
    assert stripe_calls() == before
    assert owned(zone) == ("pro", OpeState.GRANTED, source)
    assert what_is_granted(zone) == (20, "licence")
    assert not Invoice.objects.filter(account=account).exists()
    assert subscription_of_zone(zone).state is SubscriptionState.PROVISIONED
    assert submit(granting(account, zone, licence=Licence(source))).outcome is Outcome.UNCHANGED


def test_what_is_sold_by_contract_can_be_licensed():
    account, zone = customer(card=None)

    submit(granting(account, zone, plan_name="enterprise", licence=Licence("CONTRACT:CONTRACT")))

    assert owned(zone) == ("enterprise", OpeState.GRANTED, "CONTRACT:CONTRACT")


def test_a_licence_gives_so_many_of_a_component_too():
    account, zone = customer(card=None)

    submit(granting(account, zone, components=more("page_rules", 30)))

    assert what_is_granted(zone) == (30, "licence")


def test_a_customer_can_not_grant_themselves_anything():
    account, zone = customer()

    with pytest.raises(ChangeRefused) as refused:
        submit(replace(granting(account, zone), origin=Origin.DASHBOARD))

    assert refused.value.code == "licence_not_allowed"


def test_a_licence_that_is_ended_ends_at_once():
    account, zone = customer(card=None)
    submit(granting(account, zone))

    result = submit(wish(account, zone, plan_name="free"))

    assert result.outcome is Outcome.COMMITTED
    assert owned(zone) == ("free", OpeState.GRANTED, "USER:free")
    assert what_is_granted(zone) == (3, "free")


@pytest.mark.parametrize("plan_name", ["pro", "business"])
def test_what_was_granted_can_be_bought_instead_and_what_was_granted_beside_it_is_not(plan_name):
    account, zone = customer()
    submit(granting(account, zone, plan_name="business", components=more("page_rules", 60)))
    expected = preview(wish(account, zone, plan_name=plan_name))

    submit(wish(account, zone, plan_name=plan_name))

    invoice = Invoice.objects.get(account=account)
    assert (invoice.status, invoice.subtotal_minor) == ("paid", expected.due_now_minor)
    assert owned(zone)[:2] == (plan_name, OpeState.ACTIVE)
    assert not Ope.objects.filter(object_id=zone.pk, product="page_rules", deleted_date__isnull=True).exists()


def test_the_last_paid_item_goes_off_with_its_subscription_when_the_plan_is_granted(clock, stripe_calls):
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone, components=more("page_rules", 25)))
    schedule = BillingSchedule.objects.get(account=account)
    before = stripe_calls()

    result = submit(granting(account, zone, plan_name="business"))

    assert result.outcome is Outcome.COMMITTED
    assert stripe_calls() - before == {"Subscription.cancel": 1}
    assert subscriptions.retrieve(schedule.stripe_subscription_id)["status"] == "canceled"
    assert owned(zone) == ("business", OpeState.GRANTED, "ADMIN:goodwill")
    assert what_is_granted(zone) == (55, "licence")
    schedule.refresh_from_db()
    assert schedule.ended_at is not None
    list(pass_time(schedule.next_at + timedelta(hours=3)))
    assert Invoice.objects.filter(account=account).count() == 1
    assert owned(zone)[0] == "business"


def test_one_of_two_paid_zones_is_granted_and_the_other_renews(clock):
    clock.freeze()
    account, first = customer()
    second = add_zone(account.pk, name=f"second-{first.name}", actor="system:tests", now=business.now())
    submit(wish(account, first))
    submit(wish(account, second))
    schedule = BillingSchedule.objects.get(account=account)

    submit(granting(account, second))

    items = subscriptions.retrieve(schedule.stripe_subscription_id)["items"]["data"]
    assert [item["quantity"] for item in items] == [1]
    list(pass_time(schedule.next_at + timedelta(hours=3)))
    totals = Invoice.objects.filter(account=account, reason="cycle").values_list("total_minor", "status")
    assert list(totals) == [(2500, "paid")]
    assert (owned(first)[1], owned(second)[1]) == (OpeState.ACTIVE, OpeState.GRANTED)


def trial(zone, days=14, becomes=""):
    return Licence("USER:trial", business.now().replace(microsecond=0) + timedelta(days=days), becomes)


def test_a_trial_ends_with_what_is_free(clock):
    clock.freeze()
    account, zone = customer(card=None)
    licence = trial(zone)

    submit(granting(account, zone, licence=licence))

    assert subscription_of_zone(zone).state is SubscriptionState.TRIAL
    assert what_is_granted(zone) == (20, "licence")
    list(pass_time(licence.ends_at - timedelta(seconds=1)))
    assert what_is_granted(zone)[0] == 20
    list(pass_time(licence.ends_at))
    assert owned(zone) == ("free", OpeState.GRANTED, "USER:free")
    assert what_is_granted(zone) == (3, "free")


def test_a_trial_becomes_what_was_chosen_and_is_charged_off_session(clock):
    clock.freeze()
    account, zone = customer()
    licence = trial(zone, becomes="pro")
    submit(granting(account, zone, plan_name="business", licence=licence, components=more("page_rules", 60)))

    list(pass_time(licence.ends_at + timedelta(minutes=1)))

    assert owned(zone)[:2] == ("pro", OpeState.ACTIVE)
    invoice = Invoice.objects.get(account=account)
    assert (invoice.status, invoice.total_minor) == ("paid", 2500 + 40 * 100)
    assert not Sslc.objects.filter(account=account, ended_at__isnull=True).exists()


@pytest.mark.parametrize("card", [None, DECLINED])
def test_a_trial_that_nobody_pays_for_ends_free_and_it_is_written_down(clock, card):
    clock.freeze()
    account, zone = customer(card=card)
    licence = trial(zone, becomes="pro")
    submit(granting(account, zone, licence=licence))

    list(pass_time(licence.ends_at + timedelta(minutes=1)))

    assert owned(zone)[:2] == ("free", OpeState.GRANTED)
    assert account.journal.filter(kind="trial.not_paid").count() == 1
    assert list(Notice.objects.filter(account=account).values_list("kind", "facts__due_minor")) == [
        ("trial_end_unpaid", 2500)
    ]
    assert not Invoice.objects.filter(account=account).exists()


def test_a_plan_can_be_bought_in_a_trial_and_the_trial_is_over(clock):
    clock.freeze()
    account, zone = customer()
    licence = trial(zone, becomes="pro")
    submit(granting(account, zone, licence=licence))

    submit(wish(account, zone))

    assert owned(zone)[:2] == ("pro", OpeState.ACTIVE)
    list(pass_time(licence.ends_at + timedelta(minutes=1)))
    assert Invoice.objects.filter(account=account).count() == 1
    assert owned(zone)[:2] == ("pro", OpeState.ACTIVE)


def test_a_trial_that_is_cancelled_lasts_to_its_end_and_is_not_charged(clock):
    clock.freeze()
    account, zone = customer()
    licence = trial(zone, becomes="pro")
    submit(granting(account, zone, licence=licence))

    assert submit(wish(account, zone, plan_name="free")).outcome is Outcome.SCHEDULED

    assert owned(zone)[0] == "pro"
    list(pass_time(licence.ends_at + timedelta(minutes=1)))
    assert owned(zone)[:2] == ("free", OpeState.GRANTED)
    assert not Invoice.objects.filter(account=account).exists()


def test_the_end_of_a_trial_can_not_be_taken_back():
    account, zone = customer()
    submit(granting(account, zone, licence=trial(zone)))

    with pytest.raises(NothingScheduled):
        take_back(account.pk, plan_of(zone).subscription_id, actor="system:tests", now=business.now())


def test_an_add_on_can_be_tried_too(clock):
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    licence = trial(zone)

    submit(granting(account, zone, plan_name="argo_zone_basic", licence=licence))

    assert Ope.objects.get(object_id=zone.pk, product="argo_zone_basic").license_source_id == "USER:trial"
    list(pass_time(licence.ends_at + timedelta(minutes=1)))
    assert not Ope.objects.filter(object_id=zone.pk, product="argo_zone_basic", deleted_date__isnull=True).exists()
