"""Shadow billing: honest renewals do not differ by a cent, and each of five planted differences is found."""

import json
from datetime import timedelta
from io import StringIO

import pytest
import stripe
from django.conf import settings
from django.core.management import call_command

from billing.add_zone import add_zone
from billing.changes_calculator.submit import submit
from billing.models.catalog import Price
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.shadow import ShadowBill
from config.passing_time import pass_time
from tests.billing.people import customer, more, wish

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def shadow_billing():
    output = StringIO()
    call_command("shadow_billing", "--json", stdout=output)
    return json.loads(output.getvalue())


def buyer():
    account, zone = customer()
    submit(wish(account, zone, components=more("page_rules", 25)))
    return account, zone


def test_five_planted_differences_are_found_and_no_other(clock, sandbox):
    shadow_billing()
    known = {each["invoice_id"] for each in shadow_billing()["differing"]}
    clock.freeze()
    honest, zone = buyer()
    second = add_zone(honest.pk, name=f"second-{zone.name}", actor="system:tests", now=clock.now())
    clock.advance(days=3)
    submit(wish(honest, second, plan_name="business"))
    planted = {name: buyer()[0] for name in ("quantity", "line_extra", "line_missing", "beside", "balance")}
    end = max(s.next_at for s in BillingSchedule.objects.filter(account__in=[honest, *planted.values()]))
    plant(stripe.StripeClient(settings.STRIPE_API_KEY, base_addresses={"api": str(sandbox)}), planted)

    list(pass_time(end + timedelta(hours=3)))
    said = shadow_billing()

    found = {
        each["account_id"]: {difference["code"] for difference in each["differences"]}
        for each in said["differing"]
        if each["invoice_id"] not in known
    }
    assert found == {
        planted["quantity"].pk: {"quantity", "amount"},
        planted["line_extra"].pk: {"line_extra"},
        planted["line_missing"].pk: {"line_missing"},
        planted["beside"].pk: {"beside"},
        planted["balance"].pk: {"balance"},
    }
    mine = ShadowBill.objects.filter(invoice__account__in=[honest, *planted.values()])
    assert (mine.filter(compared_at__isnull=True).count(), mine.count()) == (0, 6)
    assert Invoice.objects.get(account=honest, reason="cycle").total_minor == sum(
        amount for _, _, amount in mine.get(invoice__account=honest).lines
    )
    assert shadow_billing()["compared"] == 0


def plant(client, planted):
    """Change at Stripe, behind our back, what the next renewals of these accounts bill."""
    subscriptions = {
        name: client.v1.subscriptions.retrieve(
            BillingSchedule.objects.get(account=account).stripe_subscription_id
        ).to_dict()
        for name, account in planted.items()
    }
    quietly = {"proration_behavior": "none"}
    pro = next(i for i in subscriptions["quantity"]["items"]["data"] if i["quantity"] == 1)
    client.v1.subscriptions.update(
        subscriptions["quantity"]["id"], {"items": [{"id": pro["id"], "quantity": 2}], **quietly}
    )
    price = Price.objects.get(pk="business_month_v1").stripe_price_id
    client.v1.subscriptions.update(
        subscriptions["line_extra"]["id"], {"items": [{"price": price, "quantity": 1}], **quietly}
    )
    gone = subscriptions["line_missing"]["items"]["data"][-1]
    client.v1.subscriptions.update(
        subscriptions["line_missing"]["id"], {"items": [{"id": gone["id"], "deleted": True}], **quietly}
    )
    client.v1.invoice_items.create(
        {
            "customer": subscriptions["beside"]["customer"],
            "subscription": subscriptions["beside"]["id"],
            "amount": 1,
            "currency": "usd",
        }
    )
    client.v1.customers.balance_transactions.create(
        subscriptions["balance"]["customer"], {"amount": -500, "currency": "usd"}
    )
