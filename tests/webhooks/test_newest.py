"""Order does not matter: what an event carries is used if it is newer than what we know, else Stripe is asked once."""

from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from psycopg.types.json import Jsonb

from billing.cfstripe.client import client
from billing.models.stripe_mirror import StripeMirror
from config import clock
from tests.guard import unguarded
from webhooks.models import StripeEvent

from . import payloads, world

Outcome = StripeEvent.Outcome
SECOND = timedelta(seconds=1)


@pytest.fixture
def at_stripe(story, sandbox):
    """An account and its customer as it stands at Stripe now."""
    account = world.unmapped_account()
    made = client().v1.customers.create({"name": "at Stripe now"})
    world.map_customer(account, made.id)
    return account, made.id


def mirrored(customer_id: str) -> StripeMirror:
    return StripeMirror.objects.get(pk=customer_id)


def seconds(moment) -> int:
    return int(moment.timestamp())


# how much older than what we know the event is; what we have afterwards; how often Stripe was asked
AGES = [
    (-SECOND,         "carried by the event", 0),
    (timedelta(0),    "at Stripe now",        1),
    (SECOND,          "at Stripe now",        1),
    (timedelta(30),   "at Stripe now",        1),
]  # fmt: skip


@pytest.mark.parametrize(("age", "name", "calls"), AGES)
def test_only_what_is_not_newer_is_asked_for(at_stripe, stripe_calls, age, name, calls):
    account, customer_id = at_stripe
    known_at = clock.now().replace(microsecond=0) - SECOND
    known = payloads.customer(customer_id, name="known before")
    with unguarded():
        StripeMirror.objects.create(
            id=customer_id, kind="customer", account_id=account.pk, payload=known, seen_at=known_at
        )
    carried = payloads.customer(customer_id, name="carried by the event")
    event = world.arrive("customer.updated", carried, created=seconds(known_at - age))

    world.forward()

    assert world.outcome_of(event) == Outcome.NOTHING
    assert mirrored(customer_id).payload["name"] == name
    assert mirrored(customer_id).seen_at > known_at
    assert sum(stripe_calls().values()) == calls


def test_events_in_any_order_end_in_the_same_state(at_stripe):
    _, customer_id = at_stripe
    now = seconds(clock.now())
    late = world.arrive("customer.updated", payloads.customer(customer_id, name="late"), created=now - 10)
    world.forward()
    early = world.arrive("customer.updated", payloads.customer(customer_id, name="early"), created=now - 20)

    world.forward()

    assert (world.outcome_of(late), world.outcome_of(early)) == (Outcome.NOTHING, Outcome.NOTHING)
    assert mirrored(customer_id).payload["name"] == "at Stripe now"


def test_a_clock_that_stands_still_stops_nothing(at_stripe, clock):
    _, customer_id = at_stripe
    clock.freeze()
    events = [world.arrive("customer.updated", payloads.customer(customer_id, name=f"{n}")) for n in range(3)]

    for _ in events:
        world.forward()

    assert [world.outcome_of(event) for event in events] == [Outcome.NOTHING] * 3
    assert mirrored(customer_id).payload["name"] == "at Stripe now"


def test_a_state_that_is_overtaken_while_we_look_is_not_applied(at_stripe, stripe_calls):
    account, customer_id = at_stripe
    event = world.arrive("customer.updated", payloads.customer(customer_id, name="carried by the event"))

    def record_a_newer_one(execute, sql, params, many, context):
        if "FOR NO KEY UPDATE NOWAIT" in sql and customer_id in params:
            newer = payloads.customer(customer_id, name="newer")
            with psycopg.connect(**world.connection_parameters()) as other:
                other.execute(
                    "INSERT INTO stripe_mirror (id, kind, account_id, payload, seen_at) VALUES (%s, %s, %s, %s, %s)",
                    [customer_id, "customer", account.pk, Jsonb(newer), clock.now()],
                )
        return execute(sql, params, many, context)

    with connection.execute_wrapper(record_a_newer_one):
        world.forward()

    event.refresh_from_db()
    assert (event.processed_at, event.attempts, event.lease_token) == (None, 0, None)
    assert mirrored(customer_id).payload["name"] == "newer"
    assert not world.processed_entries(event)

    world.forward()

    assert world.outcome_of(event) == Outcome.NOTHING
    assert mirrored(customer_id).payload["name"] == "at Stripe now"


def test_an_object_that_stripe_does_not_have_is_an_attempt(at_stripe):
    account, customer_id = at_stripe
    missing = payloads.customer(payloads.new_id("cus"), customer=customer_id)
    with unguarded():
        StripeMirror.objects.create(
            id=missing["id"], kind="customer", account_id=account.pk, payload=missing, seen_at=clock.now() + SECOND
        )
    world.map_customer(world.unmapped_account(), missing["id"])
    event = world.arrive("customer.updated", missing)

    world.forward()

    event.refresh_from_db()
    assert (event.processed_at, event.attempts) == (None, 1)
    assert event.last_error.startswith("StripeRefused in cfstripe/")
