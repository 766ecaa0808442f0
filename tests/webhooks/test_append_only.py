"""What came in stays as it came: the database refuses every other statement, whoever sends it."""

import pytest
from django.db import DatabaseError, connection, transaction

from webhooks.models import BraintreeEvent, StripeEvent
from webhooks.prune import forget

from . import payloads, world
from .test_other_doors import _open, notified, tell  # noqa: F401  Braintree's door is open

REFUSED = [
    "UPDATE stripe_event SET payload = jsonb_set(payload, '{data,object,id}', '\"cus_other\"')",
    "UPDATE stripe_event SET payload = 'null'",
    "UPDATE stripe_event SET type = 'invoice.paid'",
    "UPDATE stripe_event SET id = id || 'x'",
    "DELETE FROM stripe_event",
    "TRUNCATE stripe_event",
    "UPDATE braintree_event SET payload = ''",
    "UPDATE braintree_event SET kind = 'check2'",
    "DELETE FROM braintree_event",
    "TRUNCATE braintree_event",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_what_arrived_can_be_neither_changed_nor_taken_away(db, statement):
    event = world.arrive("customer.updated", payloads.customer(world.customer()[1]))
    tell(notified("check"))
    came = StripeEvent.objects.get(pk=event.pk).payload, BraintreeEvent.objects.get().payload

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert (StripeEvent.objects.get(pk=event.pk).payload, BraintreeEvent.objects.get().payload) == came


def test_a_payload_can_be_emptied_and_what_became_of_it_written(db):
    account, customer_id = world.customer()
    event = world.arrive("customer.updated", payloads.customer(customer_id))
    world.forward()

    emptied = forget([account.pk])

    assert (world.outcome_of(event), emptied) == ("nothing", 1)
    assert event.payload == {}
