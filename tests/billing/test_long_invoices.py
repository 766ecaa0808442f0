"""An invoice shows ten of its lines by itself; what it bills is all of them."""

import pytest

from billing.add_zone import add_zone
from billing.cfstripe import subscriptions
from billing.cfstripe.shapes import read_subscription
from billing.changes_calculator.request import ObjectKind, Outcome, Want
from billing.changes_calculator.submit import submit
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.objectproducts import Ope
from config import clock as business
from tests.billing.people import customer, more, wish

pytestmark = pytest.mark.usefixtures("story", "catalog")

COUNTS = (*more("page_rules", 130), *more("dedicated_certificates", 3), *more("dedicated_certificates_custom", 2))
ADD_ONS = (
    "argo_zone_basic",
    "advanced_cert_manager",
    "rate_limiting_basic",
    "waiting_rooms_basic",
    "cache_reserve_basic",
    "page_rules_20",
)


def cart(account, zones):
    """Everything there is, on three zones and the account, in one request."""
    plans = [
        Want(ObjectKind.ZONE, zone.pk, name, "monthly", COUNTS)
        for zone, name in zip(zones, ("pro", "business", "pro"), strict=True)
    ]
    add_ons = [Want(ObjectKind.ZONE, zones[0].pk, name, "monthly") for name in ADD_ONS]
    of_account = [
        Want(ObjectKind.ACCOUNT, account.pk, name, "monthly")
        for name in ("workers_paid", "load_balancing_basic", "stream_basic", "teams_standard")
    ]
    return tuple(plans + add_ons + of_account)


def test_a_long_invoice_is_recorded_with_every_line_and_everything_on_it_is_owned(clock):
    clock.freeze()
    account, zone = customer()
    zones = [zone, *(add_zone(account.pk, name=f"z{n}-{zone.name}", actor="t", now=business.now()) for n in range(2))]
    submit(wish(account, zone, "pro", "monthly", COUNTS))
    clock.advance(days=3)

    result = submit(wish(account, zone, wants=cart(account, zones), requested_at=business.now()))

    assert result.outcome is Outcome.COMMITTED
    invoice = Invoice.objects.filter(account=account).latest("created_at")
    assert invoice.lines.count() > 10
    assert sum(line.amount_minor for line in invoice.lines.all()) == invoice.subtotal_minor
    billed = Ope.objects.filter(account=account, license_source_id__startswith="sub_", deleted_date__isnull=True)
    assert billed.count() > 10


def test_a_long_subscription_is_read_with_every_item(clock):
    clock.freeze()
    account, zone = customer()
    zones = [zone, *(add_zone(account.pk, name=f"z{n}-{zone.name}", actor="t", now=business.now()) for n in range(2))]

    submit(wish(account, zone, wants=cart(account, zones), requested_at=business.now()))

    billed = Ope.objects.filter(account=account, license_source_id__startswith="sub_", deleted_date__isnull=True)
    subscription_id = BillingSchedule.objects.get(account=account).stripe_subscription_id
    facts = read_subscription(subscriptions.retrieve(subscription_id))
    owned = {(ope.license_source_id.partition(":")[2], ope.current.stripe_price_id) for ope in billed}
    assert len(facts.items) > 10
    assert {(item.id, item.price_id) for item in facts.items} == owned
