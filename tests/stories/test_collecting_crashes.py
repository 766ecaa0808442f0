"""An error at boundaries of finalising and collecting a renewal: one charge, one record, all the same."""

from datetime import timedelta

import pytest

from billing.changes_calculator.submit import submit
from billing.invoicing.advance import advance_due
from billing.models.invoices import BillingSchedule, Invoice, PaymentAttempt
from config.passing_time import pass_time
from tests.billing.people import customer, wish
from tests.crash_points import boundaries, leases_run_out, raise_at
from tests.invariants import assert_hold
from webhooks.forwarding import forward_due

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

# Each boundary takes a renewal of its own; with 1, all of them are looked at.
EVERY = 3


def renewals(clock, sandbox, number):
    """So many accounts whose renewal is a draft that nobody has taken on yet."""
    clock.freeze()
    accounts = []
    for _ in range(number):
        account, zone = customer()
        submit(wish(account, zone))
        accounts.append(account)
    end = max(BillingSchedule.objects.filter(account__in=accounts).values_list("next_at", flat=True))
    list(pass_time(end - timedelta(minutes=1)))
    clock.freeze(end)
    while sandbox.get("/_sandbox/pending")["webhooks_due"]:
        continue
    while forward_due(now=clock.now()):
        continue
    return accounts


def paid_once(clock, sandbox, account):
    with leases_run_out():
        list(pass_time(clock.now() + timedelta(minutes=30)))
    invoice = Invoice.objects.get(account=account, reason="cycle")
    assert invoice.status == "paid"
    assert PaymentAttempt.objects.filter(invoice=invoice, status="succeeded").count() == 1
    assert_hold(sandbox, account)


def test_death_at_boundaries_of_finalising_and_collecting(clock, sandbox):
    (dry,) = renewals(clock, sandbox, 1)
    names = boundaries(lambda: advance_due(now=clock.now()))
    paid_once(clock, sandbox, dry)

    for number in range(0, len(names), EVERY):
        (account,) = renewals(clock, sandbox, 1)
        raise_at(lambda: advance_due(now=clock.now(), limit=1), number)
        paid_once(clock, sandbox, account)
