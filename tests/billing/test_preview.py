"""A preview says what the invoice will say, to the cent, and does nothing."""

import random
from datetime import timedelta

import pytest

from accounts.lock import AccountBusy
from billing.add_zone import add_zone
from billing.changes_calculator.preview import preview
from billing.changes_calculator.request import ChangeRefused
from billing.changes_calculator.submit import submit
from billing.models.changes import ChangeWorkflow
from billing.models.invoices import BillingSchedule, Invoice
from config import clock as business
from tests.billing.people import customer, more, wish
from tests.crash_points import settle

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
    assert random_growth(clock, seed) > 0


def random_growth(clock, seed):
    """
    Let one account grow at random times: plans, counts, carts, on one or both clocks; return how many changes were paid.

    Each costs what its preview said, in all and line by line, on the invoice that Stripe made of it.
    """
    dice = random.Random(seed)
    clock.freeze()
    account, zone = customer()
    usual, other = dice.sample(["monthly", "yearly"], 2)
    submit(wish(account, zone, interval_name=usual))
    zones = [zone, *(add_zone(account.pk, name=f"z{n}-{zone.name}", actor="t", now=business.now()) for n in range(3))]
    rules = dict.fromkeys(zones, 20)
    compared = 0
    for _ in range(8):
        end = min(BillingSchedule.objects.filter(account=account).values_list("next_at", flat=True))
        left_seconds = (end - business.now()).total_seconds()
        clock.freeze(business.now() + timedelta(seconds=dice.randrange(1, int(left_seconds / 3))))
        wants = []
        # Zones move from the monthly clock to the yearly one, too, and what stays grows on.
        interval = dice.choice([usual, usual, other])
        for chosen in dice.sample(zones, dice.choice([1, 1, 2])):
            rules[chosen] += dice.randrange(0, 40)
            plan_name = dice.choice(["pro", "business"])
            wants += wish(account, chosen, plan_name, interval, more("page_rules", max(rules[chosen], 50))).wants
        asked = wish(account, zone, wants=tuple(wants))
        known = set(Invoice.objects.filter(account=account).values_list("pk", flat=True))

        try:
            expected = preview(asked)
        except ChangeRefused:
            continue
        try:
            submit(asked)
        except AccountBusy:  # what the change before left to the workers is to be done first
            settle(later=timedelta(0))
            expected = preview(asked)
            submit(asked)

        made = Invoice.objects.filter(account=account).exclude(pk__in=known)
        if expected.calls:
            assert [invoice.subtotal_minor for invoice in made] == [expected.due_now_minor], f"seed {seed}"
            # Where as many come to a price as leave it, Stripe makes no line; ours say 0.
            lines = sorted(made.get().lines.exclude(amount_minor=0).values_list("ope_id", "amount_minor"))
            planned = sorted((line.ope_id, line.amount_minor) for line in expected.lines if line.amount_minor)
            assert lines == planned, f"seed {seed}"
            compared += 1
    return compared
