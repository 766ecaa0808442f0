"""The account's customer at Stripe: made once, and called as the account is."""

import pytest

from accounts.create_account import create_account, rename_account
from accounts.models import Customer, JournalDelivery
from billing.cfstripe import customers
from billing.deliveries import deliver_due
from config import clock as business
from tests.billing.people import customer

pytestmark = pytest.mark.usefixtures("story", "sandbox")


def rename(account, name):
    rename_account(account.pk, name=name, actor="customer:tests", now=business.now())


def name_at_stripe(account):
    return customers.retrieve(Customer.objects.get(account=account).stripe_customer_id)["name"]


def undelivered(account):
    return JournalDelivery.objects.filter(account_id=account.pk, consumer="billing").count()


@pytest.mark.usefixtures("catalog")
def test_a_renamed_account_is_called_so_at_stripe(stripe_calls):
    account, _ = customer()
    deliver_due(now=business.now())
    stripe_calls()

    rename(account, "Acme Holding")
    rename(account, "Acme Holding")
    deliver_due(now=business.now())
    deliver_due(now=business.now())

    assert name_at_stripe(account) == "Acme Holding"
    assert undelivered(account) == 0


def test_of_two_names_the_newer_one_stays():
    account = create_account(name="One", email="one@example.com", actor="tests", now=business.now())

    rename(account, "Two")
    rename(account, "Three")
    deliver_due(now=business.now())

    assert name_at_stripe(account) == "Three"
    assert undelivered(account) == 0


def test_a_name_that_stripe_did_not_hear_is_told_again_even_when_it_is_another_by_then(sandbox):
    account = create_account(name="One", email="again@example.com", actor="tests", now=business.now())
    deliver_due(now=business.now())
    rename(account, "Two")
    sandbox.post("/_sandbox/faults", {"kind": "cut", "operation": "Customer.update", "count": 0})
    deliver_due(now=business.now())
    waits = undelivered(account)
    sandbox.delete("/_sandbox/faults")

    rename(account, "Three")
    JournalDelivery.objects.filter(account_id=account.pk).update(next_at=business.now())
    deliver_due(now=business.now())

    assert waits == 1
    assert (name_at_stripe(account), undelivered(account)) == ("Three", 0)
