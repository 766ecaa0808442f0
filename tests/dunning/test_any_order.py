"""The events of a life, in every order, each twice: one end. And many at once: one result."""

from datetime import timedelta
from itertools import permutations
from threading import Barrier, Thread

import pytest
from django.db import connections, transaction

from accounts.lock import AccountBusy
from accounts.models import JournalEntry
from billing.models.invoices import Invoice, PaymentAttempt
from dunning.models.actions import DunningAction
from dunning.models.conclusions import DunningDecision
from dunning.recompute import recompute
from tests.dunning.rows import BILLED_AT, account_of, bill, decline, plan_of
from tests.dunning.test_apply import look, standing
from tests.guard import unguarded

END = BILLED_AT + timedelta(days=9)


@unguarded()
def failed(invoice):
    """A charge that failed; told twice it is the same charge."""
    if not PaymentAttempt.objects.filter(invoice=invoice, code="insufficient_funds").exists():
        decline(invoice, 0)


@unguarded()
def failed_again(invoice):
    if not PaymentAttempt.objects.filter(invoice=invoice, code="do_not_honor").exists():
        decline(invoice, 24, code="do_not_honor")


@unguarded()
def uncollectible(invoice):
    Invoice.objects.filter(pk=invoice.pk, status="open").update(status="uncollectible")


@unguarded()
def paid(invoice):
    """Paid is final: whatever is told later of what was before changes nothing."""
    Invoice.objects.filter(pk=invoice.pk).exclude(status="paid").update(
        status="paid", paid_at=END, paid_minor=invoice.total_minor
    )


@unguarded()
def refunded(_invoice):
    """Money that went back of a paid invoice is no debt."""


EVENTS = (failed, failed_again, uncollectible, paid, refunded)


@pytest.mark.django_db
def test_the_end_is_the_same_in_every_order_and_however_often_each_is_told(catalog):
    ends = set()
    for order in permutations(EVENTS):
        with transaction.atomic():
            account = account_of()
            invoice = bill(account, plan_of(account))
            for event in order:
                event(invoice)
                event(invoice)
                look(account, END)
            ends.add((standing(account), look(account, END).needed))
            transaction.set_rollback(True)

    assert ends == {(("clear", 0, False, False, False, False), ())}


@pytest.mark.usefixtures("story", "catalog")
def test_twenty_at_once_are_one():
    account = account_of()
    decline(bill(account, plan_of(account)), 0, 24, 48, 72, 96, 120)
    start, failures = Barrier(20), []

    def run():
        try:
            start.wait()
            for _ in range(50):
                try:
                    recompute(account.pk, cause="tests", now=END)
                except AccountBusy:
                    continue
                return
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert standing(account)[:4] == ("bad_debt", 6, True, True)
    assert DunningDecision.objects.filter(account=account).count() == 1
    assert JournalEntry.objects.filter(account=account, kind="dunning.decided").count() == 1
    assert DunningAction.objects.filter(account=account, kind="notify").count() == 1
