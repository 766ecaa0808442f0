"""A preview says what the invoice will say, to the cent, and does nothing."""

import random
from datetime import timedelta

import pytest

from billing.add_zone import add_zone
from billing.changes_calculator.preview import preview
from billing.changes_calculator.request import ChangeRefused
from billing.changes_calculator.submit import submit
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import BillingSchedule, Invoice
from config import clock as business
from tests.billing.people import customer, more, wish

pytestmark = pytest.mark.usefixtures("story", "catalog")


def test_a_preview_does_nothing(stripe_calls):
    account, zone = customer()
    before = stripe_calls()

    change = preview(wish(account, zone))

    assert change.due_now_minor == 2500
    assert stripe_calls() == before
    assert not ChangeWorkflow.objects.filter(account=account).exists()


def test_what_would_be_refused_is_refused():
    account, zone = customer()

    with pytest.raises(ChangeRefused):
        preview(wish(account, zone, plan_name="unheard-of"))


@pytest.mark.parametrize("seed", range(4))
def test_the_preview_of_random_growth_is_what_is_then_paid(clock, seed):
    dice = random.Random(seed)
    clock.freeze()
    account, zone = customer()
    interval = dice.choice(["monthly", "yearly"])
    submit(wish(account, zone, interval_name=interval))
    zones = [zone, *(add_zone(account.pk, name=f"z{n}-{zone.name}", actor="t", now=business.now()) for n in range(3))]
    rules = dict.fromkeys(zones, 20)
    for _ in range(8):
        end = BillingSchedule.objects.get(account=account).next_at
        left_seconds = (end - business.now()).total_seconds()
        clock.freeze(business.now() + timedelta(seconds=dice.randrange(1, int(left_seconds / 3))))
        chosen = dice.choice(zones)
        rules[chosen] += dice.randrange(0, 40)
        plan_name = dice.choice(["pro", "business"])
        asked = wish(account, chosen, plan_name, interval, more("page_rules", max(rules[chosen], 50)))
        known = set(Invoice.objects.filter(account=account).values_list("pk", flat=True))

        try:
            expected = preview(asked)
        except ChangeRefused:
            continue
        submit(asked)

        made = Invoice.objects.filter(account=account).exclude(pk__in=known)
        if expected.calls:
            assert [invoice.subtotal_minor for invoice in made] == [expected.due_now_minor]
            lines = sorted(made.get().lines.values_list("ope_id", "amount_minor"))
            assert lines == sorted((line.ope_id, line.amount_minor) for line in expected.lines)
