"""Two debts of one account at the sandbox: the one that counts, what is lifted when the latest is paid, and after it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from accounts.models import AccountType, Notice
from accounts.profile import set_account_type
from billing.add_zone import add_zone
from billing.changes_calculator.request import ChangeRefused
from billing.changes_calculator.submit import submit
from billing.models.invoices import Invoice, InvoiceDue
from billing.models.methods import PaymentMethod
from billing.models.objectproducts import Ope
from billing.payments.pay_bad_debt import DebtState, debt_of
from billing.payments.pay_invoice import pay_invoice
from config import clock as business
from config.passing_time import pass_time
from dunning.models.conclusions import SubsDunning
from tests.billing.people import customer, wish
from tests.dunning.test_apply import standing

pytestmark = pytest.mark.usefixtures("story", "catalog", "live_server_url")

YEARLY, MONTHLY = 240_00, 25_00


def let_pass(**duration):
    list(pass_time(business.now() + timedelta(**duration)))


def turn(sandbox, account, outcome):
    for method in PaymentMethod.objects.filter(account=account):
        sandbox.post("/_sandbox/payment_methods", {"payment_method": method.processor_id, "outcome": outcome})


def owing_twice(clock, sandbox, *, account_type=AccountType.PAY_GO):
    """
    An account whose yearly renewal failed, and two days after it the monthly one; returned with both invoices.

    It is an hour after the second failed for the first time.
    """
    clock.freeze()
    account, zone = customer()
    submit(wish(account, zone, interval_name="yearly"))
    year_ends_at = Invoice.objects.get(account=account).period_end
    other = add_zone(account.pk, name=f"{uuid4().hex}.example", actor="system:tests", now=business.now())
    list(pass_time(year_ends_at - timedelta(days=28)))
    submit(wish(account, other))
    turn(sandbox, account, "insufficient_funds")
    set_account_type(account.pk, account_type, actor="agent:tests", now=business.now())
    month_ends_at = Invoice.objects.filter(account=account).latest("created_at").period_end
    list(pass_time(month_ends_at + timedelta(hours=1)))
    yearly, monthly = Invoice.objects.filter(account=account, reason="cycle").order_by("created_at")
    assert (yearly.total_minor, monthly.total_minor) == (YEARLY, MONTHLY)
    return account, yearly, monthly


def honest_minor(invoice):
    """What is owed of an invoice that was given up on the sixth of its days: five of them, to the cent."""
    days = (invoice.period_end.date() - invoice.period_start.date()).days
    return invoice.total_minor - (2 * invoice.total_minor * (days - 5) + days) // (2 * days)


def pay(sandbox, account, invoice):
    turn(sandbox, account, "ok")
    assert pay_invoice(account.pk, invoice_id=invoice.pk, now=business.now()).is_paid
    turn(sandbox, account, "insufficient_funds")
    let_pass(seconds=5)


def test_when_the_oldest_is_paid_the_next_stands_where_its_own_charges_have_brought_it(clock, sandbox):
    account, yearly, monthly = owing_twice(clock, sandbox)
    of_both = SubsDunning.objects.get(account=account)
    failed = yearly.attempts.filter(status="failed").count()

    pay(sandbox, account, yearly)

    alone = SubsDunning.objects.get(account=account)
    assert (of_both.status, of_both.level) == ("retrying", failed)
    assert failed >= 3
    assert (alone.status, alone.level) == ("retrying", 1)
    first = monthly.attempts.get(status="failed")
    assert InvoiceDue.objects.get(invoice=monthly).next_at == first.started_at + timedelta(days=1)
    let_pass(days=6)
    assert monthly.attempts.filter(status="failed").count() == 6, "no level was skipped"
    assert [level for kind, level in told(account) if "failed" in kind] == [*range(1, failed + 1), *range(1, 6)]


def told(account):
    return list(Notice.objects.filter(account=account).order_by("created_at", "level").values_list("kind", "level"))


def test_the_latest_bad_invoice_lifts_and_the_older_one_stays_owed(clock, sandbox):
    account, yearly, monthly = owing_twice(clock, sandbox)
    let_pass(days=6)
    yearly.refresh_from_db()
    monthly.refresh_from_db()
    assert standing(account) == ("bad_debt", 6, True, True, True, True)
    assert (yearly.status, yearly.remaining_minor) == ("uncollectible", honest_minor(yearly))
    assert (monthly.status, monthly.remaining_minor) == ("uncollectible", honest_minor(monthly))
    assert {ope.current.value for ope in Ope.objects.filter(account=account, product="zone_plans")} == {"free"}

    pay(sandbox, account, monthly)

    decided = SubsDunning.objects.get(account=account)
    assert (decided.status, decided.because) == ("clear", "progressive: latest paid")
    assert standing(account) == ("clear", 0, False, False, False, False)
    owed = debt_of(account.pk)
    assert (owed.state, [(each.pk, each.remaining_minor) for each in owed.invoices]) == (
        DebtState.BAD_DEBT, [(yearly.pk, honest_minor(yearly))],
    )  # fmt: skip
    cleared = Notice.objects.get(account=account, kind="debt_cleared")
    assert cleared.facts["amount_minor"] == honest_minor(yearly), "what is still owed is not hidden"

    renews_and_fails_again(account, sandbox, yearly)


def renews_and_fails_again(account, sandbox, older):
    """After the lift something is bought again; its renewal that fails is tried like any other, then paid."""
    turn(sandbox, account, "ok")
    zone = account.zones.first()
    submit(wish(account, zone))
    renewed_at = Invoice.objects.filter(account=account).latest("created_at").period_end
    turn(sandbox, account, "insufficient_funds")
    list(pass_time(renewed_at + timedelta(hours=25)))
    failing = Invoice.objects.filter(account=account, reason="cycle").latest("created_at")
    assert failing.attempts.filter(status="failed").count() == 2
    assert standing(account)[:4] == ("retrying", 2, False, False)

    turn(sandbox, account, "ok")
    let_pass(hours=24)

    failing.refresh_from_db()
    older.refresh_from_db()
    assert (failing.status, failing.paid_minor, older.status) == ("paid", MONTHLY, "uncollectible")
    assert standing(account)[:1] == ("clear",)


def test_an_older_debt_that_is_paid_lifts_nothing(clock, sandbox):
    account, yearly, _ = owing_twice(clock, sandbox)
    let_pass(days=6)

    pay(sandbox, account, yearly)

    assert standing(account)[:4] == ("bad_debt", 6, True, True)
    assert not Notice.objects.filter(account=account, kind="debt_cleared").exists()


def test_a_university_has_a_month_keeps_its_plans_and_must_pay_everything(clock, sandbox):
    account, yearly, monthly = owing_twice(clock, sandbox, account_type=AccountType.ACADEMIC)
    let_pass(days=26)
    in_time = standing(account)
    let_pass(days=2)
    assert (in_time[0], in_time[2]) == ("retrying", False)
    assert standing(account)[:4] == ("bad_debt", 6, True, False), "flagged, and not banned"
    plans = {ope.current.value for ope in Ope.objects.filter(account=account, product="zone_plans")}
    assert plans == {"pro"}
    assert yearly.attempts.filter(status="failed").count() == 6
    new = add_zone(account.pk, name=f"{uuid4().hex}.example", actor="system:tests", now=business.now())
    with pytest.raises(ChangeRefused) as refused:
        submit(wish(account, new))
    assert refused.value.code == "outstanding_balance"

    pay(sandbox, account, monthly)
    after_one = standing(account)[0]
    pay(sandbox, account, yearly)
    for invoice in Invoice.objects.filter(account=account, status="open"):
        pay(sandbox, account, invoice)

    assert (after_one, standing(account)[:4]) == ("bad_debt", ("clear", 0, False, False))
