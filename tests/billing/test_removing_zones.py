"""A zone that is removed is paid for to the end of its period, and not renewed."""

from datetime import timedelta

import pytest

from billing.add_zone import add_zone
from billing.changes_calculator.request import ChangeRefused
from billing.changes_calculator.submit import submit
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from billing.remove_zone import remove_zone
from config import clock as business
from config.passing_time import pass_time
from entitlements.models import Entitlement
from tests.billing.people import NEEDS_3DS, customer, wish

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def live(zone):
    return {ope.product for ope in Ope.objects.filter(object_id=zone.pk, deleted_date__isnull=True)}


def test_a_free_zone_is_gone_at_once_and_its_name_is_free():
    account, zone = customer(card=None)

    remove_zone(zone, actor="tests", now=business.now())

    assert live(zone) == set()
    assert not Entitlement.objects.filter(zone_id=zone.pk).exists()
    assert add_zone(account.pk, name=zone.name, actor="tests", now=business.now()).pk != zone.pk


def test_a_paid_zone_ends_with_its_period_and_is_not_free_afterwards(clock):
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone))
    submit(wish(account, zone, plan_name="argo_zone_basic"))
    schedule = BillingSchedule.objects.get(account=account)

    remove_zone(zone, actor="tests", now=business.now())

    assert live(zone) == {"zone_plans", "argo_zone_basic"}
    list(pass_time(schedule.next_at + timedelta(hours=3)))
    assert live(zone) == set()
    schedule.refresh_from_db()
    assert schedule.ended_at is not None
    assert not Invoice.objects.filter(account=account, reason="cycle").exists()


def test_a_zone_whose_payment_waits_is_not_removed():
    account, zone = customer(card=NEEDS_3DS)
    submit(wish(account, zone))

    with pytest.raises(ChangeRefused) as refused:
        remove_zone(zone, actor="tests", now=business.now())

    assert refused.value.code == "change_in_flight"
    zone.refresh_from_db()
    assert zone.deleted_at is None
