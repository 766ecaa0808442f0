"""
A year of an account that does everything: our mirror is Stripe's own numbers, shadow billing finds nothing in it, and
whatever is then changed behind our back.
"""

import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
import stripe
from django.conf import settings
from django.core.management import call_command

from accounts.lock import account_lock
from billing.add_zone import add_zone
from billing.changes_calculator.licences import Licence
from billing.changes_calculator.request import Origin
from billing.changes_calculator.submit import submit
from billing.invoicing import credits as customer_credits
from billing.invoicing import disputes, resolve
from billing.invoicing.books import Book
from billing.invoicing.coupons import make_coupon, redeem
from billing.invoicing.ledger import balance_minor
from billing.models.catalog import Price
from billing.models.credits import Credit, CreditUse
from billing.models.invoices import BillingSchedule, Invoice, PaymentAttempt
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from billing.models.reversals import Charge, CreditNote, Dispute, Refund
from billing.models.shadow import ShadowBill
from billing.payments.methods import store_test_card
from billing.payments.pay_invoice import pay_invoice
from config import clock as business
from config.passing_time import pass_time
from tests.billing.people import GOOD, customer, more, wish
from tests.guard import unguarded
from tests.invariants import assert_hold
from tests.money import nothing_differs

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

DISPUTED, NOT_RECEIVED = "4000000000000259", "4000000000002685"
AGENT = {"actor": "agent:tests"}


class Year:
    """One account with four zones, and what happens to it."""

    def __init__(self, clock, sandbox):
        self.start, self.sandbox = clock.freeze(), sandbox
        self.account, self.first = customer()
        self.second, self.third, self.fourth = (
            add_zone(self.account.pk, name=f"{name}-{self.first.name}", actor="system:tests", now=self.start)
            for name in ("second", "third", "fourth")
        )

    def reach(self, days):
        list(pass_time(self.start + timedelta(days=days)))

    def settle(self):
        list(pass_time(business.now()))

    def buy(self, zone, plan_name="pro", interval_name="monthly", **details):
        submit(wish(self.account, zone, plan_name, interval_name, **details))

    def stores(self, number):
        return store_test_card(self.account.pk, number=number, actor="system:tests", now=business.now())

    def gets_credit(self, amount_minor, days):
        wanted = customer_credits.Grant(
            kind=Credit.Kind.GOODWILL,
            amount_minor=amount_minor,
            currency="usd",
            source=f"year:{self.account.pk}",
            expires_at=business.now() + timedelta(days=days),
        )
        with account_lock(self.account.pk):
            customer_credits.grant(self.account.pk, wanted, **AGENT, now=business.now())

    def redeems_a_coupon(self, amount_minor):
        code = f"YEAR-{self.account.pk[:8].upper()}"
        make_coupon(code, amount_minor=amount_minor, currency="usd", credit_days=365, **AGENT, now=business.now())
        redeem(self.account.pk, code, actor="customer:tests", now=business.now())

    def has_a_contract(self, zone, amount_minor):
        """Grant a zone by contract; its price is what people agreed upon, and no door of ours writes it."""
        asked = wish(self.account, zone, "business", origin=Origin.NINJAPANEL, **AGENT)
        licence = Licence("CONTRACT:CONTRACT")
        submit(replace(asked, wants=tuple(replace(want, licence=licence) for want in asked.wants)))
        ope = Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True)
        agreed = replace(ope.current, unit_amount_minor=amount_minor, price_id="contract")
        with unguarded():
            Ope.objects.filter(pk=ope.pk).update(value_phases=[agreed.to_json()])
        call_command("run_billing", "--json", stdout=StringIO())

    def pays(self, invoice):
        assert pay_invoice(self.account.pk, invoice_id=invoice.pk, now=business.now()).is_paid
        self.settle()

    def renews(self, *, hours):
        """Let the next monthly renewal come, and so many hours pass after it."""
        monthly = BillingSchedule.objects.get(account=self.account, interval="month", owner="stripe")
        list(pass_time(monthly.next_at + timedelta(hours=hours)))

    def cannot_pay(self):
        """Every bank says no to a renewal, and the customer pays it two days later."""
        self._cards_are("insufficient_funds")
        self.renews(hours=48)
        (unpaid,) = Invoice.objects.filter(account=self.account, status="open").exclude(stripe_invoice_id="")
        self._cards_are("ok")
        self.pays(unpaid)

    def _cards_are(self, outcome):
        for card in PaymentMethod.objects.filter(account=self.account):
            self.sandbox.post("/_sandbox/payment_methods", {"payment_method": card.processor_id, "outcome": outcome})


def test_a_year_of_a_mixed_account(clock, sandbox):
    year = Year(clock, sandbox)
    account = year.account
    lives_its_year(year)

    assert_hold(sandbox, account)
    assert nothing_differs(account)
    invoices = Invoice.objects.filter(account=account)
    of_stripe = invoices.exclude(stripe_invoice_id="")
    reasons = {reason: of_stripe.filter(reason=reason).count() for reason in ("purchase", "change", "cycle", "dispute")}
    contract = invoices.filter(stripe_invoice_id="")
    assert (reasons["purchase"], reasons["change"], reasons["cycle"] >= 13, reasons["dispute"]) == (2, 3, True, 1)
    assert {invoice.total_minor for invoice in contract} == {799_99}
    assert balance_minor(account.pk, Book.RECEIVABLE, currency="usd") == 799_99 * contract.count() > 0
    failed = PaymentAttempt.objects.filter(account=account, status="failed")
    assert {attempt.code for attempt in failed} == {"insufficient_funds"}
    assert {attempt.invoice.reason for attempt in failed} == {"cycle"}
    assert len({attempt.invoice_id for attempt in failed}) == 2
    assert sorted(Dispute.objects.filter(account=account).values_list("status", flat=True)) == ["lost", "won"]
    assert list(Refund.objects.filter(account=account).values_list("amount_minor", "status")) == [(33_33, "succeeded")]
    assert CreditNote.objects.get(account=account).total_minor == 33_33
    used = CreditUse.objects.filter(account=account, status="used")
    assert {use.invoice.reason for use in used} == {"purchase", "change", "cycle"}
    assert {credit.remaining_minor for credit in Credit.objects.filter(account=account)} == {0}

    call_command("shadow_billing", "--json", stdout=StringIO())
    mine = ShadowBill.objects.filter(invoice__account=account)
    assert (mine.filter(compared_at__isnull=True).count(), mine.count()) == (0, reasons["cycle"])
    assert json.dumps([bill.differences for bill in mine if bill.differences]) == "[]"

    planted = plant_five(sandbox, account)
    year.renews(hours=4)
    call_command("shadow_billing", "--json", stdout=StringIO())
    found = mine.exclude(differences=[]).get()
    assert {(each["code"], each["what"]) for each in found.differences} == planted


def lives_its_year(year):
    account, first, second, third = year.account, year.first, year.second, year.third
    year.redeems_a_coupon(30_00)
    year.buy(first, components=more("page_rules", 25))
    year.reach(9)
    year.buy(second, interval_name="yearly")
    year.has_a_contract(year.fourth, 799_99)
    year.reach(20)
    year.gets_credit(50_00, days=200)
    year.buy(first, components=more("page_rules", 45))
    year.reach(50)
    year.buy(third, "business")
    year.reach(51)
    assert_hold(year.sandbox, account)
    charge = Charge.objects.filter(account=account, invoice__reason="change").latest("charged_at")
    resolve.refund(charge.pk, amount_minor=33_33, **AGENT, now=business.now())
    year.reach(75)
    assert_hold(year.sandbox, account)
    year.buy(first, components=more("page_rules", 30))

    year.stores(DISPUTED)
    year.renews(hours=4)
    lost = Dispute.objects.get(account=account)
    assert_hold(year.sandbox, account)
    disputes.accept(lost.pk, **AGENT, now=business.now())
    year.settle()
    lost.refresh_from_db()
    year.stores(GOOD)
    year.pays(lost.rebilled)
    assert_hold(year.sandbox, account)

    year.stores(NOT_RECEIVED)
    year.renews(hours=4)
    won = Dispute.objects.get(account=account, status="needs_response")
    disputes.submit_evidence(won.pk, evidence_text="winning_evidence", **AGENT, now=business.now())
    year.stores(GOOD)
    year.settle()
    assert_hold(year.sandbox, account)

    year.reach(130)
    year.cannot_pay()
    year.cannot_pay()
    assert_hold(year.sandbox, account)
    year.reach(245)
    year.buy(third, "pro")
    year.reach(300)
    year.buy(second, "business", "yearly")
    year.reach(380)


def plant_five(sandbox, account):
    """Change at Stripe, behind our back, what the next monthly renewal bills; return the differences to be found."""
    client = stripe.StripeClient(settings.STRIPE_API_KEY, base_addresses={"api": str(sandbox)})
    schedule = BillingSchedule.objects.get(account=account, interval="month", owner="stripe", ended_at__isnull=True)
    subscription = client.v1.subscriptions.retrieve(schedule.stripe_subscription_id).to_dict()
    item_of = {item["price"]["id"]: item for item in subscription["items"]["data"]}
    pro, rules, extra = (
        Price.objects.get(pk=f"{name}_month_v1").stripe_price_id for name in ("pro", "page_rules", "business")
    )
    client.v1.subscriptions.update(
        subscription["id"],
        {
            "items": [
                {"id": item_of[pro]["id"], "quantity": item_of[pro]["quantity"] + 1},
                {"id": item_of[rules]["id"], "deleted": True},
                {"price": extra, "quantity": 1},
            ],
            "proration_behavior": "none",
        },
    )
    customer_id, money = subscription["customer"], {"currency": "usd"}
    client.v1.invoice_items.create({"customer": customer_id, "subscription": subscription["id"], "amount": 1, **money})
    client.v1.customers.balance_transactions.create(customer_id, {"amount": -500, **money})
    return {
        ("quantity", pro),
        ("amount", pro),
        ("line_missing", rules),
        ("line_extra", extra),
        ("beside", "lines that are no renewal"),
        ("balance", "what a customer balance pays"),
    }
