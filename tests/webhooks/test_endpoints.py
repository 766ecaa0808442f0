"""What each endpoint brings up to date in the engine, from the newest state of the object."""

import pytest

from accounts.models import JournalEntry
from billing.cfstripe.client import client
from billing.changes_calculator.request import Outcome as Change
from billing.changes_calculator.submit import submit
from billing.models.changes import ChangeWorkflow
from billing.models.methods import PaymentMethod
from billing.models.stripe_mirror import StripeMirror
from config import clock
from tests.billing.people import NEEDS_3DS, customer, wish
from webhooks.models import StripeEvent

from . import payloads, world

Outcome = StripeEvent.Outcome


def known_invoice(status):
    account, customer_id = world.customer()
    raw = payloads.invoice(customer_id, status=status)
    return world.open_invoice(account, raw), raw


# type, our invoice before, what the object says now, the column and what it says afterwards, what came of it
INVOICES = [
    ("invoice.voided",                  "open",  {"status": "void"},             "status",              "void",                     Outcome.CHANGED),
    ("invoice.voided",                  "paid",  {"status": "void"},             "status",              "paid",                     Outcome.NOTHING),
    ("invoice.marked_uncollectible",    "open",  {"status": "uncollectible"},    "status",              "uncollectible",            Outcome.CHANGED),
    ("invoice.finalized",               "draft", {"status": "open"},             "status",              "open",                     Outcome.CHANGED),
    ("invoice.overdue",                 "draft", {"status": "open"},             "status",              "open",                     Outcome.CHANGED),
    ("invoice.overdue",                 "open",  {"status": "open"},             "status",              "open",                     Outcome.NOTHING),
    ("invoice.finalization_failed",     "draft", {"last_finalization_error": {"code": "customer_tax_location_invalid"}},
                                                                                 "finalization_failed", "customer_tax_location_invalid", Outcome.CHANGED),
    ("invoice.finalization_failed",     "open",  {"last_finalization_error": {"code": "customer_tax_location_invalid"}},
                                                                                 "finalization_failed", "",                         Outcome.NOTHING),
    ("invoice.payment_action_required", "open",  {},                             "collection_failed",   "authentication_required",  Outcome.CHANGED),
    ("invoice.payment_action_required", "draft", {"status": "open"},             "collection_failed",   "authentication_required",  Outcome.CHANGED),
    ("invoice.payment_action_required", "paid",  {},                             "collection_failed",   "",                         Outcome.NOTHING),
]  # fmt: skip


@pytest.mark.parametrize(("event_type", "before", "says", "column", "after", "outcome"), INVOICES)
def test_an_invoice_that_we_know_follows(db, event_type, before, says, column, after, outcome):
    invoice, raw = known_invoice(before)
    now_says = payloads.invoice(raw["customer"], status=says.get("status", before), id=raw["id"]) | says
    event = world.arrive(event_type, now_says, created=raw["created"] + 1)

    world.forward()

    invoice.refresh_from_db()
    assert (getattr(invoice, column), world.outcome_of(event)) == (after, outcome)


def test_a_repeat_of_a_failure_changes_nothing(db):
    invoice, raw = known_invoice("draft")
    failed = raw | {"last_finalization_error": {"code": "tax"}}
    world.arrive("invoice.finalization_failed", failed, created=raw["created"] + 1)
    world.forward()
    told = JournalEntry.objects.filter(account=invoice.account_id, kind="invoice.updated").count()

    again = world.arrive("invoice.finalization_failed", failed, created=raw["created"] + 2)
    world.forward()

    assert world.outcome_of(again) == Outcome.NOTHING
    assert JournalEntry.objects.filter(account=invoice.account_id, kind="invoice.updated").count() == told


def test_a_card_that_its_bank_renewed_is_renewed_here(db):
    account, customer_id = world.customer()
    method = payloads.payment_method(customer_id)
    world.arrive("payment_method.attached", method)
    world.forward()

    renewed = method | {"card": method["card"] | {"exp_year": 2040}}
    later = int(clock.now().timestamp()) + 1
    event = world.arrive("payment_method.automatically_updated", renewed, created=later)
    world.forward()

    assert world.outcome_of(event) == Outcome.CHANGED
    assert PaymentMethod.objects.get(account=account).expiry_year == 2040


def test_a_card_of_the_older_form_is_renewed_here(db):
    account, customer_id = world.customer()
    card = payloads.card(customer_id)
    world.arrive("customer.source.updated", card)
    world.forward()

    later = int(clock.now().timestamp()) + 1
    world.arrive("customer.source.updated", card | {"exp_month": 11}, created=later)
    world.forward()

    method = PaymentMethod.objects.get(account=account)
    assert (method.brand, method.last4, method.expiry_month, method.expiry_year) == ("visa", "4242", 11, 2030)


DECIDED = ["customer.subscription.pending_update_applied", "customer.subscription.pending_update_expired"]


@pytest.mark.usefixtures("catalog", "live_server_url")
@pytest.mark.parametrize("event_type", DECIDED)
def test_a_pending_update_has_the_change_that_waits_for_it_looked_at(event_type):
    account, zone = customer(card=NEEDS_3DS)
    waiting = submit(wish(account, zone))
    workflow = ChangeWorkflow.objects.get(pk=waiting.workflow_id)
    assert (waiting.outcome, workflow.next_at > clock.now()) == (Change.AWAITING_PAYMENT, True)
    other = payloads.subscription(account.customer.stripe_customer_id)
    of_another = world.arrive(event_type, other)

    told = world.arrive(event_type, workflow.stripe_subscription)
    while world.forward():
        continue

    workflow.refresh_from_db()
    assert workflow.next_at <= clock.now()
    assert (world.outcome_of(told), world.outcome_of(of_another)) == (Outcome.CHANGED, Outcome.NOTHING)


@pytest.fixture
def paid_at_stripe(story, catalog):
    """A payment at Stripe of a customer, of which we have not heard."""
    account, _ = customer()
    made = client().v1.payment_intents.create(
        {
            "amount": 2500,
            "currency": "usd",
            "customer": account.customer.stripe_customer_id,
            "payment_method": PaymentMethod.objects.get(account=account).processor_id,
            "confirm": True,
            "off_session": True,
        }
    )
    return account, made


def test_what_comes_before_the_news_of_what_it_points_to_is_resolved_by_asking(paid_at_stripe, stripe_calls):
    _, payment = paid_at_stripe
    assert not StripeMirror.objects.filter(pk__in=[payment.id, payment.latest_charge]).exists()
    event = world.arrive(
        "charge.dispute.created", payloads.dispute(of_payment=payment.id, charge=payment.latest_charge)
    )

    while world.forward():
        continue

    event.refresh_from_db()
    assert sum(stripe_calls().values()) == 1
    # We know whose it is and that nothing of ours was paid by it: in the end somebody is asked.
    assert (event.outcome, event.attempts, event.last_error.split()[0]) == ("", 1, "PaymentUnknown")
