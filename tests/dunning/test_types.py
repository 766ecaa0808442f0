"""A renewal that fails, by the type of the account, at the sandbox: who is tried, told, flagged, banned and ended."""

from collections import Counter
from datetime import timedelta

import pytest

from accounts.models import AccountType, Notice
from accounts.profile import set_account_type
from billing.models.invoices import BillingSchedule
from billing.models.objectproducts import Ope
from billing.payments.pay_bad_debt import pay_bad_debt
from config import clock as business
from config.passing_time import pass_time
from dunning.models.actions import DunningAction
from dunning.models.conclusions import DunningDecision, SubsDunning
from tests.dunning.acting import owing, turn
from tests.dunning.test_apply import standing

pytestmark = pytest.mark.usefixtures("story", "catalog", "live_server_url")

UNTOUCHED = (False, False, False, False)


def let_pass(**duration):
    list(pass_time(business.now() + timedelta(**duration)))


def told(account):
    return Counter(Notice.objects.filter(account=account).values_list("kind", flat=True))


def plan_of(account):
    return Ope.objects.get(account=account, product="zone_plans").current.value


def test_a_contract_is_tried_once_reminded_after_thirty_days_and_never_restricted(clock, sandbox):
    clock.freeze()
    account, invoice = owing(sandbox, account_type=AccountType.ENTERPRISE)
    let_pass(days=29, hours=23)
    before = SubsDunning.objects.filter(account=account).values_list("status", flat=True)
    in_time = (list(before), told(account))

    let_pass(hours=2)
    let_pass(days=3)  # the next renewal is open by then, and not due

    assert in_time in ((["clear"], {}), ([], {}))
    assert standing(account) == ("reminded", 0, *UNTOUCHED)
    assert told(account) == {"contract_overdue": 1}
    assert invoice.attempts.filter(status="failed").count() == 1
    assert plan_of(account) == "business"
    turn(sandbox, account, "ok")
    pay_bad_debt(account.pk, now=business.now())
    let_pass(seconds=5)
    assert standing(account)[:1] == ("clear",)
    assert told(account) == {"contract_overdue": 1}, "finance alone was told"


def test_a_partners_customer_is_left_to_the_partner_until_it_is_ours(clock, sandbox):
    clock.freeze()
    account, invoice = owing(sandbox, account_type=AccountType.PARTNER)
    let_pass(days=8)

    assert not SubsDunning.objects.filter(account=account).exists()
    assert not DunningDecision.objects.filter(account=account).exists()
    assert not DunningAction.objects.filter(account=account).exists()
    assert (told(account), invoice.attempts.filter(status="failed").count()) == ({}, 1)

    set_account_type(account.pk, AccountType.PAY_GO, actor="agent:tests", now=business.now())
    let_pass(seconds=5)

    assert invoice.attempts.filter(status="failed").count() == 2, "as its first retry, late"
    assert standing(account)[:3] == ("retrying", 2, False)


def test_who_is_sponsored_loses_what_was_not_paid_and_nothing_else(clock, sandbox):
    clock.freeze()
    account, invoice = owing(sandbox, account_type=AccountType.SPONSORED)
    let_pass(hours=1)

    invoice.refresh_from_db()
    assert (invoice.credited_minor, invoice.remaining_minor) == (invoice.total_minor, 0), "nothing of it was used"
    assert standing(account)[:4] == ("clear", 0, False, False)
    assert (plan_of(account), told(account)) == ("free", {"ended_unpaid": 1})
    assert invoice.attempts.filter(status="failed").count() == 1
    schedule = BillingSchedule.objects.get(account=account)
    assert sandbox.get(f"/v1/subscriptions/{schedule.stripe_subscription_id}")["status"] == "canceled"
