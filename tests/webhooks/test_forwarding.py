"""From the inbox to the engine: once, from the newest state, without one event holding up another."""

import ast
from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from accounts.models import Account, Customer, JournalEntry, SubsStuckEvent
from accounts.retry import backoff
from billing.cfstripe.client import API_VERSION
from billing.models.methods import PaymentMethod
from billing.models.stripe_mirror import StripeMirror
from config import clock
from tests.counting import count_statements, counted
from tests.guard import unguarded
from tests.source import files, tree
from webhooks.forwarding import ATTEMPTS_BEFORE_STUCK, forward_due
from webhooks.handler_registry import ROUTES, endpoint_of
from webhooks.models import StripeEvent
from webhooks.release import deliver_due
from webhooks.replay import replay

from . import payloads, world

Outcome = StripeEvent.Outcome
Reason = SubsStuckEvent.Reason


def of_payment(make):
    """An object that names no customer, only a payment that we know and that paid an invoice of ours."""

    def made(account, customer_id):
        payment_id = world.paid_invoice(account, customer_id)
        world.mirrored(account, payloads.payment_intent(customer_id, id=payment_id))
        return make(of_payment=payment_id)

    return made


def charge_of_nothing_refunded(*, of_payment):
    return payloads.charge(None, payment_intent=of_payment, amount_refunded=0, refunded=False)


def of_method(account, customer_id):
    return payloads.mandate(of_method=world.mirrored(account, payloads.payment_method(customer_id))["id"])


def of_customer(make):
    return lambda _, customer_id: make(customer_id)


# type, its endpoint, the object it is about, and what follows beside the mirror when we know nothing but whose it is
EVERY_TYPE = [
    ("charge.dispute.closed",                        "disputes",        of_payment(payloads.dispute),          Outcome.CHANGED),
    ("charge.dispute.created",                       "disputes",        of_payment(payloads.dispute),          Outcome.CHANGED),
    ("charge.refunded",                              "dunning",         of_payment(charge_of_nothing_refunded), Outcome.NOTHING),
    ("credit_note.created",                          "invoices",        of_customer(payloads.credit_note),     Outcome.NOTHING),
    ("customer.source.updated",                      "customers",       of_customer(payloads.card),            Outcome.CHANGED),
    ("customer.subscription.created",                "subscriptions",   of_customer(payloads.subscription),    Outcome.NOTHING),
    ("customer.subscription.deleted",                "subscriptions",   of_customer(payloads.subscription),    Outcome.NOTHING),
    ("customer.subscription.pending_update_applied", "pending_updates", of_customer(payloads.subscription),    Outcome.NOTHING),
    ("customer.subscription.pending_update_expired", "pending_updates", of_customer(payloads.subscription),    Outcome.NOTHING),
    ("customer.subscription.updated",                "subscriptions",   of_customer(payloads.subscription),    Outcome.NOTHING),
    ("customer.updated",                             "customers",       of_customer(payloads.customer),        Outcome.NOTHING),
    ("invoice.created",                              "invoices",        of_customer(payloads.invoice),         Outcome.NOTHING),
    ("invoice.finalization_failed",                  "invoices",        of_customer(payloads.invoice),         Outcome.NOTHING),
    ("invoice.finalized",                            "dunning",         of_customer(payloads.invoice),         Outcome.NOTHING),
    ("invoice.marked_uncollectible",                 "dunning",         of_customer(payloads.invoice),         Outcome.NOTHING),
    ("invoice.overdue",                              "overdue",         of_customer(payloads.invoice),         Outcome.NOTHING),
    ("invoice.paid",                                 "dunning",         of_customer(payloads.invoice),         Outcome.NOTHING),
    ("invoice.payment_action_required",              "payment_actions", of_customer(payloads.invoice),         Outcome.NOTHING),
    ("invoice.payment_failed",                       "dunning",         of_customer(payloads.invoice),         Outcome.NOTHING),
    ("invoice.voided",                               "invoices",        of_customer(payloads.invoice),         Outcome.NOTHING),
    ("mandate.updated",                              "mandates",        of_method,                             Outcome.NOTHING),
    ("payment_intent.payment_failed",                "payments",        of_customer(payloads.payment_intent),  Outcome.NOTHING),
    ("payment_intent.succeeded",                     "payments",        of_customer(payloads.payment_intent),  Outcome.NOTHING),
    ("payment_method.attached",                      "payment_methods", of_customer(payloads.payment_method),  Outcome.CHANGED),
    ("payment_method.automatically_updated",         "payment_methods", of_customer(payloads.payment_method),  Outcome.CHANGED),
    ("refund.failed",                                "payments",        of_payment(payloads.refund),           Outcome.NOTHING),
    ("setup_intent.succeeded",                       "mandates",        of_customer(payloads.setup_intent),    Outcome.NOTHING),
]  # fmt: skip


def test_the_table_above_has_every_type_and_its_endpoint():
    assert [(row[0], row[1]) for row in EVERY_TYPE] == [(event_type, endpoint_of(event_type)) for event_type in ROUTES]
    assert (len(ROUTES), len({endpoint_of(event_type) for event_type in ROUTES})) == (27, 11)


def test_a_handler_decides_nothing_and_is_short():
    """A pipe that decides is a second engine: a handler hands on to one use case, or says that nothing follows."""
    for path in files("webhooks/handlers"):
        for function in [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)]:
            assert len(function.body) <= 4, f"{path.name}: {function.name}"
            assert function.end_lineno - function.lineno < 10, f"{path.name}: {function.name}"
            assert not [node for node in ast.walk(function) if isinstance(node, (ast.If, ast.For, ast.Try))]


@pytest.mark.parametrize(("event_type", "endpoint", "object_of", "outcome"), EVERY_TYPE)
def test_each_type_is_mirrored_journalled_and_marked_within_ten_statements(
    db, event_type, endpoint, object_of, outcome
):
    account, customer_id = world.customer()
    known = object_of(account, customer_id)
    event = world.arrive(event_type, known)

    with count_statements() as statements:
        forwarded = world.forward()

    event.refresh_from_db()
    assert forwarded == 1
    assert (event.outcome, event.account_id, event.attempts) == (outcome, account.pk, 0)
    assert event.processed_at is not None
    assert StripeMirror.objects.get(pk=known["id"]).payload == known
    (entry,) = world.processed_entries(event)
    assert (entry.account_id, entry.after) == (account.pk, {"type": event_type, "outcome": outcome})
    claim, *of_the_event = statements
    assert claim.startswith('UPDATE "stripe_event" SET lease_token')  # one for a whole batch
    # A dispute is more than recorded: its money moves in the books.
    assert len(of_the_event) <= (11 if endpoint == "disputes" else 10), "\n".join(of_the_event)


def test_an_attached_method_is_ours(db):
    account, customer_id = world.customer()
    world.arrive("payment_method.attached", payloads.payment_method(customer_id))

    world.forward()

    method = PaymentMethod.objects.get(account=account)
    assert (method.last4, method.brand, method.is_default) == ("4242", "visa", True)


def test_an_invoice_that_we_know_follows_and_a_repeat_finds_nothing_left_to_do(db):
    account, customer_id = world.customer()
    unpaid = payloads.invoice(customer_id)
    invoice = world.open_invoice(account, unpaid)
    paid = payloads.invoice(customer_id, status="paid", id=unpaid["id"]) | payloads.paid_by(payloads.new_id("pi"))
    first = world.arrive("invoice.paid", paid, created=paid["created"] + 1)
    second = world.arrive("invoice.paid", paid, created=paid["created"] + 2)

    world.forward()

    invoice.refresh_from_db()
    assert (invoice.status, invoice.paid_minor) == ("paid", 2000)
    assert (world.outcome_of(first), world.outcome_of(second)) == (Outcome.CHANGED, Outcome.NOTHING)


# What is made of a payment that paid an invoice of ours; without it these types wait.
OF_A_PAYMENT = [row for row in EVERY_TYPE if row[0] in {"charge.dispute.created", "charge.refunded", "refund.failed"}]


@pytest.mark.parametrize(("event_type", "endpoint", "object_of", "outcome"), OF_A_PAYMENT)
def test_news_of_a_payment_that_is_not_known_yet_waits_for_it(db, event_type, endpoint, object_of, outcome):
    account, customer_id = world.customer()
    of_known = object_of(account, customer_id)
    unheard_of = world.mirrored(account, payloads.payment_intent(customer_id))["id"]
    event = world.arrive(
        event_type, of_known | {"payment_intent": unheard_of, "charge": "", "id": payloads.new_id("x")}
    )

    world.forward()

    assert (world.outcome_of(event), event.attempts, event.processed_at) == ("", 1, None)
    invoice = world.open_invoice(account, payloads.invoice(customer_id, status="paid"))
    world.pay(invoice, payment_id=unheard_of)
    world.forward(later=backoff(0))
    assert world.outcome_of(event) == outcome


def test_an_event_delivered_twice_is_forwarded_once(db):
    _, customer_id = world.customer()
    sent = payloads.event("customer.updated", payloads.customer(customer_id))
    payloads.send(sent)
    world.forward()

    payloads.send(sent)
    forwarded = world.forward()

    assert forwarded == 0
    assert len(world.processed_entries(StripeEvent.objects.get(pk=sent["id"]))) == 1


# ---- What is not one account's, or not ours ------------------------------------------------------------------


def test_an_unknown_customer_waits_and_goes_on_when_it_is_mapped(db):
    account, customer_id = world.unmapped_account(), payloads.new_id("cus")
    event = world.arrive("payment_method.attached", payloads.payment_method(customer_id))
    world.forward()
    stuck = SubsStuckEvent.objects.get(external_id=event.pk)
    assert (world.outcome_of(event), stuck.reason, stuck.customer_reference, stuck.resolved_at) == (
        Outcome.STUCK, Reason.UNKNOWN_CUSTOMER, customer_id, None,
    )  # fmt: skip
    assert not PaymentMethod.objects.filter(account=account).exists()

    world.map_customer(account, customer_id)
    delivered = deliver_due(now=clock.now())
    world.forward()

    stuck.refresh_from_db()
    assert delivered == 1
    assert (world.outcome_of(event), stuck.resolved_at is not None) == (Outcome.CHANGED, True)
    assert PaymentMethod.objects.filter(account=account).exists()


def test_another_customers_mapping_releases_nothing(db):
    event = world.arrive("customer.updated", payloads.customer(payloads.new_id("cus")))
    nothing_named = {"latest_charge": None, "payment_method": None}
    nameless = world.arrive("payment_intent.succeeded", payloads.payment_intent(None, **nothing_named))
    world.forward()

    world.customer()
    world.map_customer(world.unmapped_account(), "")  # one that pays by another processor alone
    deliver_due(now=clock.now())

    assert (world.outcome_of(event), world.outcome_of(nameless)) == (Outcome.STUCK, Outcome.STUCK)


def test_a_mapping_that_is_written_while_we_look_is_not_missed(story):
    account, customer_id = world.unmapped_account(), payloads.new_id("cus")
    event = world.arrive("customer.updated", payloads.customer(customer_id))

    def map_meanwhile(execute, sql, params, many, context):
        if 'INSERT INTO "subs_stuck_events"' in sql and event.pk in params:
            with psycopg.connect(**world.connection_parameters()) as other:
                other.execute(
                    "INSERT INTO subs_customer (account_id, stripe_customer_id, braintree_customer_id) "
                    "VALUES (%s, %s, '')",
                    [account.pk, customer_id],
                )
        return execute(sql, params, many, context)

    with connection.execute_wrapper(map_meanwhile):
        world.forward()
    world.forward()

    assert world.outcome_of(event) == Outcome.NOTHING
    assert not SubsStuckEvent.objects.filter(external_id=event.pk, resolved_at=None).exists()


def test_a_customer_of_two_accounts_waits(db):
    _, customer_id = world.customer()
    with unguarded():
        Customer.objects.create(account=world.unmapped_account(), stripe_customer_id=customer_id)
    event = world.arrive("customer.updated", payloads.customer(customer_id))

    world.forward()

    assert world.outcome_of(event) == Outcome.STUCK
    assert SubsStuckEvent.objects.get(external_id=event.pk).reason == Reason.MERGED_ACCOUNT


def test_an_object_without_a_customer_is_resolved_by_what_it_points_to(db):
    account, customer_id = world.customer()
    charged = payloads.invoice(customer_id)
    world.arrive("invoice.created", charged)
    world.forward()
    nameless = world.arrive("payment_intent.succeeded", payloads.payment_intent(None, invoice=charged["id"]))

    world.forward()

    nameless.refresh_from_db()
    assert (nameless.outcome, nameless.account_id) == (Outcome.NOTHING, account.pk)


def test_what_points_to_something_of_nobody_waits(db, sandbox):
    unknown = payloads.new_id("in")
    with unguarded():
        StripeMirror.objects.create(id=unknown, kind="invoice", account_id="", payload={}, seen_at=clock.now())
    event = world.arrive("payment_intent.succeeded", payloads.payment_intent(None, invoice=unknown))

    world.forward()

    assert world.outcome_of(event) == Outcome.STUCK


@pytest.mark.parametrize(("api_version", "outcome"), [(API_VERSION, Outcome.NOTHING), ("2024-06-20", Outcome.STUCK)])
def test_another_api_version_waits(db, api_version, outcome):
    _, customer_id = world.customer()
    event = world.arrive("customer.updated", payloads.customer(customer_id), api_version=api_version)

    world.forward()

    assert world.outcome_of(event) == outcome
    assert list(SubsStuckEvent.objects.values_list("reason", "signature")) == (
        [] if outcome == Outcome.NOTHING else [(Reason.VERSION, api_version)]
    )


# where the metadata are, what they say, outcome
METADATA = [
    ({"metadata": {"product": "another"}},                                              Outcome.FOREIGN),
    ({"parent": {"subscription_details": {"metadata": {"product": "another"}}}},        Outcome.FOREIGN),
    ({"parent": None, "subscription_details": {"metadata": {"product": "another"}}},    Outcome.FOREIGN),
    ({"metadata": {"product": "paygo"}},                                                Outcome.NOTHING),
    ({"metadata": {"product": ""}},                                                     Outcome.NOTHING),
    ({"metadata": {"anything": "else"}},                                                Outcome.NOTHING),
    ({"metadata": None},                                                                Outcome.NOTHING),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "outcome"), METADATA)
def test_what_belongs_to_another_product_is_dropped_and_counted(db, fields, outcome):
    _, customer_id = world.customer()
    event = world.arrive("invoice.created", payloads.invoice(customer_id, **fields))
    before = counted("paygo_webhook_foreign_total", product="another")

    world.forward()

    assert world.outcome_of(event) == outcome
    assert counted("paygo_webhook_foreign_total", product="another") - before == (outcome == Outcome.FOREIGN)
    assert len(world.processed_entries(event)) == 1
    assert not SubsStuckEvent.objects.exists()


# ---- What goes wrong -----------------------------------------------------------------------------------------


class Poison(Exception):
    """Its text must not be kept: it may hold what the payload held."""


def poisonous(arrival):
    Account.objects.filter(pk=arrival.account_id).update(name="half done")
    raise Poison("zoe@example.com")


def test_a_poison_event_holds_up_neither_its_account_nor_others_and_is_tried_later(db, monkeypatch, caplog):
    monkeypatch.setitem(ROUTES, "invoice.created", poisonous)
    account, customer_id = world.customer()
    _, other_id = world.customer()
    poison = world.arrive("invoice.created", payloads.invoice(customer_id))
    healthy = [
        world.arrive("customer.updated", payloads.customer(customer_id)),
        world.arrive("customer.updated", payloads.customer(other_id)),
    ]
    now = clock.now()

    forward_due(now=now)

    assert [world.outcome_of(event) for event in healthy] == [Outcome.NOTHING, Outcome.NOTHING]
    poison.refresh_from_db()
    account.refresh_from_db()
    assert (poison.processed_at, poison.attempts, poison.next_at) == (None, 1, now + backoff(0))
    assert poison.last_error == "Poison in webhooks/test_forwarding.py:poisonous"
    assert account.name != "half done"
    assert forward_due(now=now) == 0
    assert "zoe@example.com" not in caplog.text


def test_what_fails_again_and_again_waits_for_people_and_can_be_replayed(db, monkeypatch):
    monkeypatch.setitem(ROUTES, "invoice.created", poisonous)
    _, customer_id = world.customer()
    event = world.arrive("invoice.created", payloads.invoice(customer_id))
    now = clock.now()
    tries = 0
    while not world.outcome_of(event):
        tries += forward_due(now=event.next_at)
    stuck = SubsStuckEvent.objects.get(external_id=event.pk)
    assert (tries, stuck.reason) == (ATTEMPTS_BEFORE_STUCK, Reason.HANDLER_ERROR)
    assert stuck.signature == "Poison in webhooks/test_forwarding.py:poisonous"

    monkeypatch.undo()
    replayed = replay(StripeEvent.objects.filter(pk=event.pk), now=now)
    forward_due(now=now)

    stuck.refresh_from_db()
    assert (replayed, world.outcome_of(event), event.attempts) == (1, Outcome.NOTHING, 0)
    assert stuck.resolved_at is not None
    kinds = JournalEntry.objects.filter(cause=f"stripe:{event.pk}").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["stuck.opened", "stuck.released", "stripe.event_processed"]


def test_a_busy_account_is_left_alone_and_that_is_no_attempt(story):
    account, customer_id = world.customer()
    event = world.arrive("customer.updated", payloads.customer(customer_id))
    with psycopg.connect(**world.connection_parameters()) as other:
        other.execute("SELECT 1 FROM account WHERE id = %s FOR NO KEY UPDATE", [account.pk])

        world.forward()

        event.refresh_from_db()
        assert (event.processed_at, event.attempts, event.last_error) == (None, 0, "")
        assert event.lease_token is None
        assert clock.machine_now() < event.lease_until < clock.machine_now() + timedelta(seconds=1)
    StripeEvent.objects.filter(pk=event.pk).update(lease_until=None)

    world.forward()

    assert world.outcome_of(event) == Outcome.NOTHING


def test_what_was_done_does_not_stand_if_somebody_else_took_the_event_over(db, monkeypatch):
    account, customer_id = world.customer()
    event = world.arrive("invoice.created", payloads.invoice(customer_id))

    def taken_over(arrival):
        Account.objects.filter(pk=arrival.account_id).update(name="done by the first")
        StripeEvent.objects.filter(pk=arrival.event_id).update(lease_token="0" * 32)
        return True

    monkeypatch.setitem(ROUTES, "invoice.created", taken_over)

    world.forward()

    account.refresh_from_db()
    event.refresh_from_db()
    assert account.name != "done by the first"
    assert (event.processed_at, event.attempts) == (None, 0)
    assert not StripeMirror.objects.filter(account_id=account.pk).exists()
    assert not world.processed_entries(event)


def test_an_event_is_not_taken_before_it_is_due(db):
    _, customer_id = world.customer()
    event = world.arrive("customer.updated", payloads.customer(customer_id))

    assert forward_due(now=event.next_at - timedelta(microseconds=1)) == 0
    assert forward_due(now=event.next_at) == 1
