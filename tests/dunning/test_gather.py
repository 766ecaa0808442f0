"""What the stores say of a batch of accounts, and what that costs."""

from datetime import timedelta

import pytest

from accounts.models import Customer
from billing.models.invoices import InvoiceDue, PaymentAttempt
from billing.models.mandates import Mandate
from billing.models.methods import PaymentMethod
from billing.payments.declines import DeclineClass
from dunning.facts import Debt, Failure
from dunning.gather import gather
from dunning.models.actions import ProcessorOutage
from dunning.models.conclusions import BadInvoice
from tests.counting import count_statements
from tests.dunning.rows import BILLED_AT, account_of, bill, decline, plan_of
from tests.guard import unguarded

pytestmark = pytest.mark.django_db

NOW = BILLED_AT + timedelta(days=6)


def facts_of(account, now=NOW):
    (facts,) = gather([account.pk], now)
    return facts


def owing(opes=1, invoices=1):
    account = account_of()
    owned = [plan_of(account, subscription="sub_shared") for _ in range(opes)]
    for day in range(invoices):
        decline(bill(account, *owned, at=BILLED_AT + timedelta(minutes=day)), 0, 24)
    return account


def test_the_number_of_statements_is_the_same_for_one_and_for_many():
    few, many = owing(), owing(opes=40, invoices=40)
    crowd = [owing().pk for _ in range(40)]

    counts = []
    for ids in ([few.pk], [many.pk], crowd, [few.pk, many.pk, *crowd]):
        with count_statements() as statements:
            found = gather(ids, NOW)
        assert len(found) == len(ids)
        counts.append(len(statements))

    assert counts == [6, 6, 6, 6]


def test_who_never_owed_costs_two():
    ids = [account_of().pk for _ in range(5)]

    with count_statements() as statements:
        found = gather(ids, NOW)

    assert len(statements) == 2
    assert all(not facts.invoices and facts.stored.because == "nothing owed" for facts in found)


def test_an_invoice_is_gathered_with_all_that_is_known_of_it():
    account = account_of()
    running, paid_ahead = plan_of(account), plan_of(account, until=NOW + timedelta(days=300))
    older = bill(account, running, at=BILLED_AT - timedelta(days=40), status="uncollectible", credited_minor=1000)
    newer = bill(account, running, paid_ahead)
    decline(newer, 0, 24)
    with unguarded():
        BadInvoice.objects.create(invoice=older, account=account, bad_since=BILLED_AT)
        InvoiceDue.objects.create(invoice=newer, next_at=NOW, attempts=2)

    first, second = facts_of(account).invoices

    assert (first.id, first.debt, first.remaining_minor, first.retry_at) == (newer.pk, Debt.OPEN, 5000, NOW)
    assert (first.put_off_at, second.put_off_at) == (NOW - timedelta(seconds=5), None)
    assert first.failures == tuple(
        Failure(BILLED_AT + timedelta(hours=hour), DeclineClass.RETRY_ON_SCHEDULE) for hour in (0, 24)
    )
    assert first.live_ope_ids == (running.pk,), "what is paid for still runs and is not ended"
    assert (second.id, second.debt, second.remaining_minor) == (older.pk, Debt.UNCOLLECTIBLE, 1500)
    assert (second.bad_since, second.is_credited) == (BILLED_AT, True)


@pytest.mark.parametrize(("status", "is_there"), [("draft", False), ("open", True), ("paid", False), ("void", False)])
def test_only_what_is_owed_counts(status, is_there):
    account = account_of()
    bill(account, status=status, **({"finalized_at": None} if status == "draft" else {}))

    assert bool(facts_of(account).invoices) is is_there


def test_what_a_customer_tried_who_was_here_is_no_step_of_the_schedule():
    account = account_of()
    invoice = bill(account)
    decline(invoice, 0, 24)
    with unguarded():
        PaymentAttempt.objects.filter(started_at=BILLED_AT + timedelta(hours=24)).update(on_session=True)

    assert [failure.at for failure in facts_of(account).invoices[0].failures] == [BILLED_AT]


@pytest.mark.parametrize(("status", "is_usable"), [("active", True), ("revoked", False), ("pending", False)])
def test_a_method_is_worth_what_its_newest_mandate_says(status, is_usable):
    account = account_of()
    bill(account)
    method = PaymentMethod.objects.get(account=account)
    with unguarded():
        for number, (word, at) in enumerate([("active", BILLED_AT), (status, BILLED_AT + timedelta(days=1))]):
            Mandate.objects.create(
                account=account,
                method=method,
                processor_mandate_id=f"mandate_{method.pk}_{number}",
                status=word,
                active_since=at if word == "active" else None,
                changed_at=at,
            )

    (found,) = facts_of(account).methods

    since = BILLED_AT + timedelta(days=1) if is_usable else BILLED_AT
    assert (found.is_usable, found.usable_since) == (is_usable, since)


def test_a_card_that_was_tried_too_often_is_of_no_use():
    account = account_of()
    decline(bill(account, at=NOW - timedelta(days=20)), *range(15))

    assert not facts_of(account).methods[0].is_usable
    assert facts_of(account, NOW + timedelta(days=15)).methods[0].is_usable


def test_two_accounts_of_one_customer_are_merged():
    one, other, third = account_of(), account_of(), account_of()
    with unguarded():
        Customer.objects.filter(pk=other.pk).update(stripe_customer_id=one.customer.stripe_customer_id)

    assert [facts_of(each).is_merged for each in (one, other, third)] == [True, True, False]


def test_outages_that_may_still_hold_a_clock_up_are_known():
    account = account_of()
    bill(account)
    long_ago, last_week = NOW - timedelta(days=200), NOW - timedelta(days=7)
    for started_at in (long_ago, last_week):
        ProcessorOutage.objects.create(
            processor="stripe", started_at=started_at, ended_at=started_at + timedelta(hours=1), actor="system:tests"
        )

    assert [outage.started_at for outage in facts_of(account).outages] == [last_week]
