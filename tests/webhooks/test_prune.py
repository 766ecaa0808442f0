"""The inbox forgets payloads, and nothing else."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command

from config import clock
from tests.webhooks import payloads
from webhooks.models import StripeEvent
from webhooks.prune import prune_inbox
from webhooks.replay import replay

pytestmark = pytest.mark.usefixtures("db")

AGES = [
    # days since it was processed, outcome,   is emptied
    (90.01,                        "changed", True),
    (90.01,                        "nothing", True),
    (89.99,                        "changed", False),
    (90.01,                        "stuck",   False),
    (None,                         "",        False),
]  # fmt: skip


def event(days, outcome):
    now = clock.machine_now()
    return StripeEvent.objects.create(
        id=payloads.new_id("evt"), type="invoice.paid", api_version="v", account_id="0" * 32, created_at=now,
        received_at=now, next_at=now, payload={"data": 1}, outcome=outcome,
        processed_at=None if days is None else now - timedelta(days=days),
    )  # fmt: skip


@pytest.mark.parametrize(("days", "outcome", "is_emptied"), AGES)
def test_a_payload_goes_90_days_after_it_was_processed(days, outcome, is_emptied):
    old = event(days, outcome)

    assert prune_inbox() == int(is_emptied)

    old.refresh_from_db()
    assert old.payload == ({} if is_emptied else {"data": 1})
    assert (old.type, old.account_id, old.outcome) == ("invoice.paid", "0" * 32, outcome)
    assert prune_inbox() == 0


def test_a_batch_is_bounded_and_the_command_goes_on_to_the_end():
    for days in (100, 101, 102):
        event(days, "changed")

    assert prune_inbox(limit=2) == 2
    out = io.StringIO()
    call_command("prune", stdout=out)

    assert out.getvalue() == "1 payloads were emptied.\n"
    assert not StripeEvent.objects.exclude(payload={}).exists()


def test_what_was_emptied_cannot_be_replayed():
    old = event(100, "changed")
    prune_inbox()

    assert replay(StripeEvent.objects.filter(pk=old.pk), now=clock.now()) == 0

    old.refresh_from_db()
    assert old.processed_at is not None
