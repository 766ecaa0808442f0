"""An account is closed: what it owes is collected, what it has ends with its periods, and nothing is bought again."""

from datetime import timedelta

import pytest

from accounts.models import AccountType, JournalEntry, SubsAccount, Zone
from billing.changes_calculator.request import ChangeRefused, ObjectKind, Want
from billing.changes_calculator.submit import submit
from billing.close_account import close_account
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from config import clock as business
from config.passing_time import pass_time
from entitlements.models import Entitlement
from tests.billing.people import NEEDS_3DS, customer, wish
from tests.billing.test_moving_zones import owe
from tests.guard import unguarded

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def close(account):
    close_account(account.pk, actor="system:tests", now=business.now())
    account.refresh_from_db()


def live(account):
    return sorted(Ope.objects.filter(account=account, deleted_date__isnull=True).values_list("product", flat=True))


def buy_workers(account, zone):
    want = Want(ObjectKind.ACCOUNT, account.pk, "workers_paid", "monthly")
    submit(wish(account, zone, wants=(want,)))


def test_what_is_paid_for_runs_to_its_end_and_then_nothing_is_left(clock):
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    submit(wish(account, zone, plan_name="argo_zone_basic"))
    buy_workers(account, zone)
    end = BillingSchedule.objects.get(account=account).next_at

    close(account)

    assert account.closed_at == business.now()
    assert live(account) == ["argo_zone_basic", "workers_paid", "zone_plans"]
    assert Entitlement.objects.filter(account=account, basis="paid").exists()
    list(pass_time(end + timedelta(hours=3)))
    assert live(account) == []
    assert not Entitlement.objects.filter(account=account).exists()
    assert not Invoice.objects.filter(account=account, reason="cycle").exclude(total_minor=0).exists()
    assert BillingSchedule.objects.get(account=account).ended_at is not None


def test_closing_it_again_changes_nothing():
    account, _ = customer()
    close(account)
    entries = JournalEntry.objects.filter(account=account).count()

    close(account)

    assert JournalEntry.objects.filter(account=account).count() == entries
    assert not Zone.objects.filter(account=account, deleted_at__isnull=True).exists()


def test_nothing_is_bought_for_a_closed_account():
    account, zone = customer()
    close(account)

    with pytest.raises(ChangeRefused) as refused:
        buy_workers(account, zone)

    assert [each.code for each in refused.value.refusals] == ["account_closed"]


def test_whoever_owes_can_not_close():
    account, zone = customer()
    owe(account, "uncollectible")

    with pytest.raises(ChangeRefused) as refused:
        close(account)

    account.refresh_from_db()
    assert refused.value.code == "outstanding_balance"
    assert account.closed_at is None
    assert Zone.objects.get(pk=zone.pk).deleted_at is None


def test_what_is_open_is_collected_first(clock):
    from billing.models.methods import PaymentMethod
    from billing.payments.methods import store_test_card

    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    with unguarded():
        PaymentMethod.objects.filter(account=account).update(is_usable=False, unusable_why="lost", is_default=False)
    end = BillingSchedule.objects.get(account=account).next_at
    list(pass_time(end + timedelta(hours=3)))
    renewal = Invoice.objects.get(account=account, reason="cycle")
    assert renewal.status == "open"
    store_test_card(account.pk, number="4242424242424242", actor="tests", now=business.now())

    close(account)

    renewal.refresh_from_db()
    assert renewal.status == "paid"
    assert account.closed_at is not None


def test_what_waits_for_its_payment_is_given_up():
    account, zone = customer(card=NEEDS_3DS)
    workflow_id = submit(wish(account, zone)).workflow_id

    close(account)

    assert ChangeWorkflow.objects.get(pk=workflow_id).step == "abandoned"
    assert live(account) == []


@pytest.mark.parametrize("is_told", [False, True])
def test_a_smaller_plan_that_was_to_come_comes_no_more(clock, is_told):
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone, plan_name="business"))
    submit(wish(account, zone, plan_name="pro"))
    end = BillingSchedule.objects.get(account=account).next_at
    if is_told:
        list(pass_time(end - timedelta(hours=5)))

    close(account)
    list(pass_time(end + timedelta(hours=3)))

    assert live(account) == []
    assert not Invoice.objects.filter(account=account, reason="cycle").exclude(total_minor=0).exists()


def test_a_trial_that_was_to_become_a_plan_ends_instead(clock):
    from billing.changes_calculator.licences import Licence
    from billing.changes_calculator.request import Origin

    clock.freeze()
    account, zone = customer()
    ends_at = business.now() + timedelta(days=7)
    want = Want(ObjectKind.ZONE, zone.pk, "pro", licence=Licence("USER:trial", ends_at, "pro"))
    submit(wish(account, zone, wants=(want,), origin=Origin.IAPI))

    close(account)
    list(pass_time(ends_at + timedelta(hours=1)))

    assert live(account) == []
    assert not Invoice.objects.filter(account=account).exists()


def test_a_contract_is_not_closed_here():
    account, _ = customer()
    with unguarded():
        SubsAccount.objects.filter(account=account).update(account_type=AccountType.ENTERPRISE)

    with pytest.raises(ChangeRefused) as refused:
        close(account)

    assert refused.value.code == "not_self_serve"
