"""The acts upon money whose crash points are tried: accounts that stand before each, the act, what must be so after."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db.models import Sum

from accounts.lock import AccountBusy, account_lock
from accounts.models import Account
from billing.changes_calculator.submit import submit
from billing.invoicing import clock as billing_clock
from billing.invoicing import credits as customer_credits
from billing.invoicing import resolve
from billing.invoicing.acts import InvoiceActRefused
from billing.invoicing.advance import advance
from billing.invoicing.internal_clock import bill_batch
from billing.models.credits import Credit, CreditUse
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.reversals import Charge, CreditNote, InvoiceAct, Refund
from billing.payments.collect import AttemptInFlight
from billing.payments.pay_invoice import pay_invoice
from config import clock
from config.passing_time import pass_time
from tests.billing.people import customer, wish
from tests.factories import OpeFactory, ZoneFactory, clear, phase_of
from tests.outside import BusinessClock, Sandbox
from webhooks.forwarding import forward_due

AGENT: dict[str, Any] = {"actor": "agent:tests"}
CREDIT_MINOR, REFUND_MINOR, NOTE_MINOR = 3_00, 10_00, 5_00


@dataclass(frozen=True, slots=True)
class Case:
    """One account before an act, and the id under which a person would ask for it again."""

    account: Account
    key: str = field(default_factory=lambda: uuid4().hex)

    @property
    def renewal(self) -> Invoice:
        return Invoice.objects.get(account=self.account, reason="cycle")

    @property
    def charge(self) -> Charge:
        return Charge.objects.get(account=self.account)


@dataclass(frozen=True, slots=True)
class MoneyAct:
    """
    `prepare` makes so many accounts at once that stand before the act. It may be asked for `again` after a death, as
    people would; then, or else once the workers have looked, `is_done` must hold.
    """

    name: str
    prepare: Callable[[BusinessClock, Sandbox, int], list[Case]]
    act: Callable[[Case], object]
    is_done: Callable[[Case], bool]
    again: Callable[[Case], object] | None = None


def buyers(business: BusinessClock, _sandbox: Sandbox, number: int) -> list[Case]:
    """Accounts that have bought, and paid for it, at noon: no day ends while they are acted upon."""
    business.freeze((clock.now() + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0))
    cases = []
    for _ in range(number):
        account, zone = customer()
        submit(wish(account, zone))
        cases.append(Case(account))
    list(pass_time(clock.now()))
    return cases


def drafts(business: BusinessClock, sandbox: Sandbox, number: int) -> list[Case]:
    """Accounts with some credit, and a renewal that is a draft which nobody has taken on yet."""
    cases = buyers(business, sandbox, number)
    for case in cases:
        _give_credit(case)
    end = _end(cases)
    list(pass_time(end - timedelta(minutes=1)))
    business.freeze(end)
    while sandbox.get("/_sandbox/pending")["webhooks_due"]:
        continue
    while forward_due(now=clock.now()):
        continue
    return cases


def owing(business: BusinessClock, sandbox: Sandbox, number: int) -> list[Case]:
    """Accounts whose renewal is open because the bank said no; by now it would say yes."""
    cases = buyers(business, sandbox, number)
    cards = [case.account.payment_methods.get().processor_id for case in cases]
    for card in cards:
        sandbox.post("/_sandbox/payment_methods", {"payment_method": card, "outcome": "insufficient_funds"})
    list(pass_time(_end(cases) + timedelta(hours=1)))
    for card in cards:
        sandbox.post("/_sandbox/payment_methods", {"payment_method": card, "outcome": "ok"})
    return cases


def contracts(business: BusinessClock, _sandbox: Sandbox, number: int) -> list[Case]:
    """Accounts whose contract is due to be billed."""
    now = business.freeze()
    cases = [Case(clear()) for _ in range(number)]
    for case in cases:
        phase = phase_of("business", starts_at=now, ends_at=None, stripe_price_id="")
        zone = ZoneFactory.create(account=case.account)
        OpeFactory.create(zone=zone, phase=phase, license_source_id="CONTRACT:CONTRACT")
        _give_credit(case)
    billing_clock.start_contract_clocks(now=now)
    return cases


def _give_credit(case: Case) -> None:
    wanted = customer_credits.Grant(
        kind=Credit.Kind.GOODWILL, amount_minor=CREDIT_MINOR, currency="usd", source=f"acts:{case.key}"
    )
    with account_lock(case.account.pk):
        customer_credits.grant(case.account.pk, wanted, **AGENT, now=clock.now())


def _end(cases: list[Case]) -> Any:
    return max(BillingSchedule.objects.filter(account__in=[c.account for c in cases]).values_list("next_at", flat=True))


def _pay(case: Case) -> None:
    with suppress(AccountBusy, AttemptInFlight):
        pay_invoice(case.account.pk, invoice_id=case.renewal.pk, now=clock.now())


def _is_paid_once(case: Case) -> bool:
    invoice = case.renewal
    succeeded = list(invoice.attempts.filter(status="succeeded").values_list("amount_minor", flat=True))
    return invoice.status == "paid" and succeeded == [invoice.paid_minor]


def _is_paid_with_credit(case: Case) -> bool:
    used = CreditUse.objects.filter(account=case.account).values_list("status", "amount_minor")
    return _is_paid_once(case) and case.renewal.paid_minor == 22_00 and list(used) == [("used", CREDIT_MINOR)]


def _refund(case: Case) -> object:
    return resolve.refund(case.charge.pk, amount_minor=REFUND_MINOR, key=case.key, **AGENT, now=clock.now())


def _is_refunded_once(case: Case) -> bool:
    refunds = Refund.objects.filter(account=case.account).values_list("amount_minor", "status")
    notes = CreditNote.objects.filter(account=case.account).values_list("total_minor", "status")
    return (list(refunds), list(notes)) == ([(REFUND_MINOR, "succeeded")], [(REFUND_MINOR, "issued")])


def _credit(case: Case) -> object:
    return resolve.credit_invoice(case.renewal.pk, amount_minor=NOTE_MINOR, **AGENT, now=clock.now())


def _is_credited_as_asked(case: Case) -> bool:
    """Whoever died before it was written down asked for nothing."""
    asked = InvoiceAct.objects.filter(account=case.account)
    credited_minor = case.renewal.credited_minor
    return asked.count() <= 1 and credited_minor == NOTE_MINOR * asked.filter(done_at__isnull=False).count()


def _give_up(case: Case) -> None:
    with suppress(InvoiceActRefused):
        resolve.mark_uncollectible(case.renewal.pk, **AGENT, now=clock.now())


def _is_given_up(case: Case) -> bool:
    """On its first day nothing of a month was used: nothing is owed."""
    notes = CreditNote.objects.filter(account=case.account, status="issued").aggregate(minor=Sum("total_minor"))
    return (case.renewal.status, case.renewal.remaining_minor, notes["minor"]) == ("paid", 0, 25_00)


def _bill(_case: Case) -> object:
    """Bill one clock: whichever comes first, so that some are left for the next deaths."""
    return bill_batch(until=clock.now(), now=clock.now(), limit=1)


def _is_billed_once(case: Case) -> bool:
    billed = Invoice.objects.filter(account=case.account).values_list("total_minor", "status")
    used = CreditUse.objects.filter(account=case.account).values_list("status", "amount_minor")
    return (list(billed), list(used)) == ([(250_00 - CREDIT_MINOR, "open")], [("used", CREDIT_MINOR)])


ACTS = (
    MoneyAct("finalise and collect", drafts, lambda case: advance(case.renewal, now=clock.now()), _is_paid_with_credit),
    MoneyAct("pay", owing, _pay, _is_paid_once, again=_pay),
    MoneyAct("refund", buyers, _refund, _is_refunded_once, again=_refund),
    MoneyAct("credit", owing, _credit, _is_credited_as_asked),
    MoneyAct("give up", owing, _give_up, _is_given_up, again=_give_up),
    MoneyAct("bill", contracts, _bill, _is_billed_once, again=_bill),
)  # fmt: skip
