"""What people type: the brain looks at everybody, or says what it would do; and acts for a part of the accounts."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing.models.invoices import InvoiceDue
from config import clock
from dunning.due import recompute_due, sweep_everybody
from dunning.models.conclusions import DunningDue, SubsDunning
from tests.dunning.rows import account_of, bill, decline, plan_of

pytestmark = pytest.mark.usefixtures("db", "catalog")


def exhausted():
    account = account_of()
    decline(bill(account, plan_of(account), at=clock.now() - timedelta(days=8)), 0, 24, 48, 72, 96, 120)
    return account


def said(*words):
    out = StringIO()
    call_command(*words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_dry_run_says_what_would_change_and_writes_nothing():
    bad, good = exhausted(), account_of()

    report = said("recompute_dunning", "--all", "--dry-run")

    assert (report["looked_at"], report["to_change"]) == (2, 1)
    assert report["transitions"] == [
        {"from": "clear", "to": "bad_debt", "because": "retries are exhausted", "accounts": 1}
    ]
    assert report["accounts"] == [bad.pk]
    assert good.pk not in report["accounts"]
    assert not SubsDunning.objects.exists()


def test_everybody_is_looked_at_once_and_then_nothing_is_left():
    bad = exhausted()

    assert said("recompute_dunning", "--all")["to_change"] == 1
    assert said("recompute_dunning", "--all")["to_change"] == 0
    assert SubsDunning.objects.get(account=bad).status == "bad_debt"


def test_one_account_alone():
    one, other = exhausted(), exhausted()

    said("recompute_dunning", "--account", one.pk)

    assert list(SubsDunning.objects.values_list("account_id", flat=True)) == [one.pk]
    with pytest.raises(CommandError, match="There is no account"):
        call_command("recompute_dunning", account="f" * 32)
    assert other.pk


def test_observed_decisions_are_compared_with_what_stands():
    exhausted()
    said("roll_out_dunning", "--percent", "100", "--observe-only")
    said("recompute_dunning", "--all")

    found = said("roll_out_dunning", "--parity")

    assert (found["agree"], found["differ"]) == (0, 1)
    assert not SubsDunning.objects.exists()
    with pytest.raises(CommandError, match="between 0 and 100"):
        call_command("roll_out_dunning", percent=101)


def test_once_a_night_whatever_has_drifted_is_found():
    bad, now = exhausted(), clock.now()

    while sweep_everybody(now=now):
        continue
    assert list(DunningDue.objects.values_list("account_id", flat=True)) == [bad.pk]
    assert recompute_due(now=now) == 1

    assert SubsDunning.objects.get(account=bad).status == "bad_debt"
    assert sweep_everybody(now=now) == 0, "not again before tomorrow"
    assert sweep_everybody(now=now + timedelta(days=1)) == 1


def test_an_invoice_that_was_charged_once_is_planned_for_the_next_day():
    account, at = account_of(), clock.now()
    invoice = bill(account, plan_of(account), at=at - timedelta(hours=1))
    decline(invoice, 0)

    said("recompute_dunning", "--all")

    assert InvoiceDue.objects.get(invoice=invoice).next_at == at + timedelta(hours=23)
