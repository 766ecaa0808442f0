"""A change that was paid for and can't be made: the money goes back, whatever dies on the way."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from accounts.create_account import delete_zone
from accounts.lock import account_lock
from accounts.models import Account, JournalEntry, Notice, SubsStuckEvent
from billing.cfstripe import invoices, subscriptions
from billing.changes_calculator import commit, refunding, workflows
from billing.changes_calculator.resume import payment_confirmed, resume_due
from billing.changes_calculator.steps import Step
from billing.changes_calculator.submit import submit
from billing.invoicing.books import Book
from billing.invoicing.ledger import balance_minor, owed_minor
from billing.models.changes import ChangeClaim, ChangeWorkflow
from billing.models.invoices import Invoice
from billing.models.objectproducts import Ope
from billing.models.reversals import Charge, CreditNote, Dispute, Refund
from billing.payments.methods import store_test_card
from config import clock as business
from tests.billing.people import NEEDS_3DS, customer, wish
from tests.guard import unguarded

pytestmark = pytest.mark.usefixtures("story", "catalog", "live_server_url")


class Died(Exception):
    """A worker that died."""


def confirmed_too_late(sandbox):
    """An account whose customer confirmed a payment after its zone was deleted."""
    account, zone = customer(card=NEEDS_3DS)
    workflow = ChangeWorkflow.objects.get(pk=submit(wish(account, zone)).workflow_id)
    delete_zone(zone, actor="tests", now=business.now())
    sandbox.post("/_sandbox/authenticate", {"client_secret": workflow.client_secret, "outcome": "complete"})
    return account, zone, workflow


def sweep(*, later):
    while resume_due(now=business.now() + later):
        continue


def assert_money_went_back(account, zone, workflow):
    workflow.refresh_from_db()
    assert (workflow.step, workflow.refusal_code) == ("refunded", "object_gone")
    assert not Ope.objects.filter(object_id=zone.pk, kind="enum", license_source_id__startswith="sub_").exists()
    assert not ChangeClaim.objects.filter(account=account).exists()
    assert CreditNote.objects.get(account=account).status == "issued"
    assert Refund.objects.get(account=account).amount_minor == 25_00
    assert {book: amount for book in Book if (amount := balance_minor(account.pk, book, currency="usd"))} == {}
    assert subscriptions.retrieve(workflow.stripe_subscription["id"])["status"] == "canceled"
    assert Notice.objects.filter(account=account, kind="change_refunded").count() == 1
    kinds = list(JournalEntry.objects.filter(cause=workflow.pk, kind__startswith="change.refund").values_list("kind"))
    assert sorted(kinds) == [("change.refunded",), ("change.refunding",)]


def test_a_payment_confirmed_after_the_zone_was_deleted_goes_back(sandbox):
    account, zone, workflow = confirmed_too_late(sandbox)

    sweep(later=timedelta(minutes=10))

    assert_money_went_back(account, zone, workflow)


def test_what_grew_is_billed_as_before_by_the_same_item(sandbox):
    account, zone = customer()
    bought = ChangeWorkflow.objects.get(pk=submit(wish(account, zone)).workflow_id)
    store_test_card(account.pk, number=NEEDS_3DS, actor="tests", now=business.now())
    grows = ChangeWorkflow.objects.get(pk=submit(wish(account, zone, "business")).workflow_id)
    delete_zone(zone, actor="tests", now=business.now())
    sandbox.post("/_sandbox/authenticate", {"client_secret": grows.client_secret, "outcome": "complete"})

    sweep(later=timedelta(minutes=10))

    grows.refresh_from_db()
    assert grows.step == "refunded"
    owned = Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True)
    assert owned.current.value == "pro"
    items = subscriptions.retrieve(bought.stripe_subscription["id"])["items"]["data"]
    assert [(f"{bought.stripe_subscription['id']}:{i['id']}", i["price"]["id"], i["quantity"]) for i in items] == [
        (owned.license_source_id, owned.current.stripe_price_id, 1)
    ]
    assert owed_minor(account.pk, currency="usd") == 0
    assert Refund.objects.get(account=account).amount_minor == Invoice.objects.get(workflow=grows).paid_minor


def test_the_news_of_a_payment_for_a_closed_account_gives_it_back(sandbox):
    account, zone = customer(card=NEEDS_3DS)
    workflow = ChangeWorkflow.objects.get(pk=submit(wish(account, zone)).workflow_id)
    with unguarded():
        Account.objects.filter(pk=account.pk).update(closed_at=business.now())
    sandbox.post("/_sandbox/authenticate", {"client_secret": workflow.client_secret, "outcome": "complete"})
    raw = invoices.retrieve(workflow.stripe_invoice_id)

    with account_lock(account.pk):
        told = [payment_confirmed(raw, account_id=account.pk, now=business.now()) for _ in range(2)]
    sweep(later=timedelta(minutes=10))

    workflow.refresh_from_db()
    assert told == [False, False]
    assert (workflow.step, workflow.refusal_code) == ("refunded", "account_closed")
    assert Refund.objects.get(account=account).amount_minor == 25_00


def test_a_constraint_that_refuses_is_tried_again_before_the_money_goes_back(sandbox, monkeypatch):
    account, zone = customer(card=NEEDS_3DS)
    workflow = ChangeWorkflow.objects.get(pk=submit(wish(account, zone)).workflow_id)
    sandbox.post("/_sandbox/authenticate", {"client_secret": workflow.client_secret, "outcome": "complete"})

    def refuses(*_args, **_kwargs):
        raise IntegrityError

    monkeypatch.setattr(commit, "save_elements", refuses)
    steps = []
    for tries in range(refunding.TRIES_OF_COMMIT + 1):
        resume_due(now=business.now() + timedelta(hours=3 * (tries + 1)))
        workflow.refresh_from_db()
        steps.append(workflow.step)

    assert steps == ["awaiting_payment"] * refunding.TRIES_OF_COMMIT + ["refunded"]
    workflow.refresh_from_db()
    assert workflow.refusal_code == "commit_refused"
    assert Refund.objects.get(account=account).amount_minor == 25_00


ACTIONS = [(refunding, "_take_items_back"), (refunding, "_refund"), (refunding, "tell"), (workflows, "end")]


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("module", "action"), ACTIONS, ids=[action for _, action in ACTIONS])
def test_whoever_dies_at_an_action_leaves_it_to_the_next(sandbox, monkeypatch, module, action, is_after):
    account, zone, workflow = confirmed_too_late(sandbox)
    real = getattr(module, action)

    def dies(*args, **kwargs):
        if action == "end" and args[1] is Step.COMMITTED:
            return real(*args, **kwargs)  # that it can't be committed is found by trying to
        if is_after:
            real(*args, **kwargs)
        raise Died

    with monkeypatch.context() as death:
        death.setattr(module, action, dies)
        resume_due(now=business.now() + timedelta(minutes=10))
        workflow.refresh_from_db()
        assert workflow.step == "refunding"
        assert ChangeClaim.objects.filter(account=account).exists()

    sweep(later=timedelta(hours=2))

    assert_money_went_back(account, zone, workflow)


def test_a_disputed_payment_is_left_to_its_dispute_and_an_operator(sandbox, monkeypatch):
    account, _zone, workflow = confirmed_too_late(sandbox)
    with monkeypatch.context() as death:
        death.setattr(refunding, "_take_items_back", lambda *_: 1 / 0)
        resume_due(now=business.now() + timedelta(minutes=10))
    charge = Charge.objects.get(account=account)
    with unguarded():
        Dispute.objects.create(
            account=account, charge=charge, invoice=charge.invoice, stripe_dispute_id=f"dp_{charge.pk}", status="needs_response", reason="fraudulent",
            amount_minor=charge.amount_minor, currency="usd", opened_at=business.now(),
        )  # fmt: skip

    sweep(later=timedelta(hours=2))

    workflow.refresh_from_db()
    assert workflow.step == "refunded"
    assert not ChangeClaim.objects.filter(account=account).exists()
    assert not Refund.objects.filter(account=account).exists()
    stuck = SubsStuckEvent.objects.get(external_id=f"refund_{workflow.pk}")
    assert (stuck.kind, stuck.customer_reference) == ("invoice.not_taken_off", account.pk)
