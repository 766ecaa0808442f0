"""What each of the five events costs with all that the brain makes of it: the same however much is owned."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.invoicing import resolve
from billing.invoicing.advance import advance_due
from billing.invoicing.carry_out import carry_out_due
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.methods import PaymentMethod
from billing.models.reversals import Charge
from billing.payments.pay_bad_debt import pay_bad_debt
from config.passing_time import pass_time
from dunning.consequences.carry_out import carry_out_due as carry_out_consequences
from dunning.deliveries import deliver_due
from dunning.due import recompute_due
from tests.billing.test_budgets import owner
from tests.counting import count_statements
from webhooks.forwarding import forward_due
from webhooks.models import StripeEvent

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

KINDS = (
    "invoice.finalized",
    "invoice.payment_failed",
    "invoice.marked_uncollectible",
    "invoice.paid",
    "charge.refunded",
)
MOST_STATEMENTS = 22
ASLEEP = datetime(2900, 1, 1, tzinfo=UTC)


def turn(sandbox, account, outcome):
    for method in PaymentMethod.objects.filter(account=account):
        sandbox.post("/_sandbox/payment_methods", {"payment_method": method.processor_id, "outcome": outcome})


def take_events(sandbox, clock, costs):
    """
    Handle what has arrived, one event at a time, each with its brain, and note the dearest of each kind.

    Events that other tests left sleep until a year that no test reaches.
    """
    while sandbox.get("/_sandbox/pending")["webhooks_due"]:
        continue
    while deliver_due(now=clock.now()):
        continue
    waiting = StripeEvent.objects.filter(processed_at__isnull=True, next_at__lt=ASLEEP)
    while (event := waiting.order_by("next_at", "pk").first()) is not None:
        with count_statements() as statements:
            forward_due(now=clock.now(), limit=1)
            deliver_due(now=clock.now())
        event.refresh_from_db()
        assert event.processed_at is not None, f"{event.type} is put off until {event.next_at}"
        costs[event.type] = max(costs.get(event.type, 0), len(statements))


def work(clock):
    while advance_due(now=clock.now()) + carry_out_due(now=clock.now()) + carry_out_consequences(now=clock.now()):
        continue


def life(size, clock, sandbox):
    """A renewal of so many zones that fails, is given up, paid and paid back; what each kind of event cost."""
    clock.freeze()
    account, _ = owner(size)
    end = BillingSchedule.objects.get(account=account).next_at
    list(pass_time(end - timedelta(minutes=1)))
    turn(sandbox, account, "insufficient_funds")
    clock.freeze(end)
    costs = {}
    for _ in range(3):
        take_events(sandbox, clock, costs)
        work(clock)
    for hours in (0, 24, 48, 72, 96, 120, 132):
        clock.freeze(end + timedelta(hours=hours))
        recompute_due(now=clock.now())
        work(clock)
        take_events(sandbox, clock, costs)
    assert Invoice.objects.get(account=account, reason="cycle").status == "uncollectible"
    turn(sandbox, account, "ok")
    pay_bad_debt(account.pk, now=clock.now())
    take_events(sandbox, clock, costs)
    charge = Charge.objects.filter(account=account).latest("charged_at")
    resolve.refund(charge.pk, amount_minor=100, actor="agent:tests", now=clock.now())
    take_events(sandbox, clock, costs)
    return {kind: costs.get(kind) for kind in KINDS}


def test_each_event_costs_the_same_with_one_ope_and_with_many(clock, sandbox):
    few, many = life(1, clock, sandbox), life(20, clock, sandbox)

    assert few == many
    assert max(few.values()) <= MOST_STATEMENTS
