"""Random histories of one account's money; a seed replays one. What must hold of it after every act: `tests/money.py`."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from accounts.lock import AccountBusy, account_lock
from billing.add_zone import add_zone
from billing.changes_calculator.request import ChangeRefused, PaymentDeclined, PaymentUnavailable
from billing.changes_calculator.submit import submit
from billing.invoicing import credits as customer_credits
from billing.invoicing import disputes, refunds, resolve
from billing.invoicing.acts import InvoiceActRefused
from billing.invoicing.advance import advance
from billing.invoicing.coupons import CouponRefused, make_coupon, redeem
from billing.invoicing.internal_clock import bill_until
from billing.models.credits import Credit
from billing.models.invoices import Invoice
from billing.models.reversals import Charge, Dispute, Refund
from billing.payments.collect import AttemptInFlight
from billing.payments.methods import store_test_card
from billing.payments.pay_invoice import MethodUnknown, NotPayable, pay_invoice
from config import clock
from config.passing_time import SWEEPS, pass_time
from tests.billing.people import GOOD, customer, more, wish
from tests.money import holds, money_of
from webhooks.models import StripeEvent
from webhooks.replay import replay

PAYS_LATER_FAILS, DISPUTED, PENDING_REFUND, FAILING_REFUND = (
    "4000000000000341", "4000000000000259", "4000000000007726", "4000000000005126",
)  # fmt: skip
CARDS = (GOOD, GOOD, PAYS_LATER_FAILS, DISPUTED, PENDING_REFUND, FAILING_REFUND)
AGENT: dict[str, Any] = {"actor": "agent:tests"}
# What one may be answered; anything else is a fault of ours.
CALM = (
    AccountBusy, AttemptInFlight, ChangeRefused, CouponRefused, InvoiceActRefused, MethodUnknown, NotPayable,
    PaymentDeclined, PaymentUnavailable, disputes.DisputeRefused, refunds.RefundRefused,
)  # fmt: skip


class MoneyHistory:
    """One account, and dice that decide what happens to its money."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.account, zone = customer()
        self.zones = [zone, add_zone(self.account.pk, name=f"2-{zone.name}", actor="system:tests", now=clock.now())]
        self.told: Counter[str] = Counter()
        self.count = 0

    def live(self, steps: int) -> None:
        """Let so many things happen; after each one the books hold, and doing it all again changes nothing."""
        submit(wish(self.account, self.zones[0], "business"))
        for _ in range(steps):
            self._act()
            self._let_time_pass()
            holds(self.account)
        self._let_time_pass()
        self.everything_again()

    def everything_again(self) -> None:
        """Run every sweep, bill, collect and replay once more at the same moment: nothing may change by it."""
        self._collect_all()
        before = money_of(self.account)
        self._collect_all()
        list(bill_until(clock.now(), now=clock.now()))
        for event in StripeEvent.objects.filter(account_id=self.account.pk).order_by("?"):
            replay(StripeEvent.objects.filter(pk=event.pk), now=clock.now())
        for sweep in SWEEPS:
            sweep(now=clock.now())
        list(pass_time(clock.now()))
        after = money_of(self.account)
        assert after == before, {table: (before[table], rows) for table, rows in after.items() if rows != before[table]}

    def _collect_all(self) -> None:
        for invoice in Invoice.objects.filter(account=self.account).exclude(stripe_invoice_id=""):
            advance(invoice, now=clock.now())

    def _act(self) -> None:
        acts: list[Callable[[], object]] = [
            self._buy, self._buy, self._another_card, self._another_card, self._grant, self._coupon, self._take_back,
            self._refund, self._refund, self._refund, self._pay, self._give_up, self._credit, self._write_off, self._void,
            self._answer, self._as_credit,
        ]  # fmt: skip
        act = self.dice.choice(acts)
        name = act.__name__.strip("_").replace("_", " ")
        try:
            name = name if act() is not None else f"{name}: nothing to do it to"
        except CALM as error:
            name = f"{name}: {type(error).__name__}"
        self.told[name] += 1

    def _let_time_pass(self) -> None:
        list(pass_time(clock.now() + timedelta(hours=self.dice.choice([0, 0, 1, 75, 31 * 24]))))

    def _one(self, model: Any, **which: Any) -> Any:
        found = list(model.objects.filter(account=self.account, **which).order_by("pk"))
        return self.dice.choice(found) if found else None

    def _buy(self) -> bool:
        rules = more("page_rules", self.dice.randrange(50, 90)) if self.dice.random() < 0.5 else ()
        plan_name, interval = self.dice.choice(["pro", "business"]), self.dice.choice(["monthly", "monthly", "yearly"])
        submit(wish(self.account, self.dice.choice(self.zones), plan_name, interval, rules))
        return True

    def _another_card(self) -> bool:
        store_test_card(self.account.pk, number=self.dice.choice(CARDS), actor="system:tests", now=clock.now())
        return True

    def _grant(self) -> Credit:
        self.count += 1
        lasts = self.dice.choice([None, timedelta(days=20), timedelta(days=200)])
        wanted = customer_credits.Grant(
            kind=self.dice.choice([Credit.Kind.GOODWILL, Credit.Kind.PREPAID]),
            amount_minor=self.dice.randrange(1, 300_00),
            currency="usd",
            source=f"history:{self.account.pk}:{self.count}",
            expires_at=clock.now() + lasts if lasts else None,
        )
        with account_lock(self.account.pk):
            return customer_credits.grant(self.account.pk, wanted, **AGENT, now=clock.now())

    def _coupon(self) -> Credit:
        code = f"HISTORY-{self.account.pk[:8].upper()}"
        if not self.told["coupon"]:
            make_coupon(code, amount_minor=12_34, currency="usd", credit_days=30, **AGENT, now=clock.now())
        return redeem(self.account.pk, code, actor="customer:tests", now=clock.now())

    def _take_back(self) -> object:
        credit = self._one(Credit)
        return credit and customer_credits.take_back(credit.pk, **AGENT, now=clock.now())

    def _refund(self) -> object:
        charge = self._one(Charge, amount_minor__gt=0)
        if charge is None:
            return None
        amount_minor = self.dice.choice([1, charge.amount_minor // 3, charge.amount_minor, charge.amount_minor + 1])
        to_credit = self.dice.random() < 0.3
        return resolve.refund(charge.pk, amount_minor=amount_minor, to_credit=to_credit, **AGENT, now=clock.now())

    def _pay(self) -> object:
        return self._one(Invoice, status__in=["open", "uncollectible"]) and pay_invoice(
            self.account.pk, now=clock.now()
        )

    def _give_up(self) -> object:
        invoice = self._one(Invoice, status="open")
        return invoice and resolve.mark_uncollectible(invoice.pk, **AGENT, now=clock.now())

    def _credit(self) -> object:
        invoice = self._one(Invoice, status__in=["open", "uncollectible"])
        amount_minor = self.dice.randrange(1, 100_00)
        return invoice and resolve.credit_invoice(invoice.pk, amount_minor=amount_minor, **AGENT, now=clock.now())

    def _write_off(self) -> object:
        invoice = self._one(Invoice, status__in=["open", "uncollectible"])
        return invoice and resolve.write_off(invoice.pk, **AGENT, now=clock.now())

    def _void(self) -> object:
        invoice = self._one(Invoice, status__in=["open", "uncollectible"])
        return invoice and resolve.void(invoice.pk, **AGENT, now=clock.now())

    def _answer(self) -> object:
        dispute = self._one(Dispute, closed_at__isnull=True)
        if dispute is None:
            return None
        evidence = self.dice.choice(["winning_evidence", "losing_evidence", ""])
        if evidence:
            disputes.submit_evidence(dispute.pk, evidence_text=evidence, **AGENT, now=clock.now())
        else:
            disputes.accept(dispute.pk, **AGENT, now=clock.now())
        return dispute

    def _as_credit(self) -> object:
        refund = self._one(Refund, status="failed")
        return refund and refunds.give_as_credit(refund.pk, **AGENT, now=clock.now())
