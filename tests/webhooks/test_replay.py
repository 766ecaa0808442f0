"""Taking events up again: one, a group, all that wait; looking first."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import JournalEntry, SubsStuckEvent
from accounts.stuck import take_stuck
from config import clock
from tests.guard import unguarded
from webhooks.models import StripeEvent
from webhooks.replay import Group, replay

from . import payloads, world

Outcome = StripeEvent.Outcome


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("replay_stuck", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def inbox(db):
    """Two events of one unknown customer, one of another version, one that was processed, and no story's events."""
    _, customer_id = world.customer()
    unknown = payloads.customer(payloads.new_id("cus"))
    events = {
        "unknown": world.arrive("customer.updated", unknown),
        "unknown invoice": world.arrive("invoice.created", payloads.invoice(unknown["id"])),
        "version": world.arrive("customer.updated", payloads.customer(customer_id), api_version="2024-06-20"),
        "processed": world.arrive("customer.updated", payloads.customer(customer_id)),
    }
    world.forward()
    for event in events.values():
        event.refresh_from_db()
    return events


# arguments, which are due again
GROUPS = [
    ([],                                                   {"unknown", "unknown invoice", "version"}),
    (["--reason", "unknown_customer"],                     {"unknown", "unknown invoice"}),
    (["--reason", "unknown_customer", "--type", "invoice.created"], {"unknown invoice"}),
    (["--signature", "2024-06-20"],                        {"version"}),
    (["--customer", "cus_of_nobody"],                      set()),
    (["{processed}"],                                      {"processed"}),
    (["{processed}", "{version}"],                         {"processed", "version"}),
    (["evt_of_nobody"],                                    set()),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "due"), GROUPS)
def test_what_is_asked_for_is_due_again_and_nothing_else(inbox, arguments, due):
    ids = {name: event.pk for name, event in inbox.items()}

    said = command(*(argument.format(**ids) for argument in arguments))

    due_ids = set(StripeEvent.objects.filter(processed_at__isnull=True).values_list("pk", flat=True))
    assert due_ids == {ids[name] for name in due}
    assert f"{len(due)} are due again." in said
    still_open = SubsStuckEvent.objects.filter(resolved_at__isnull=True).values_list("external_id", flat=True)
    assert set(still_open) == {ids[name] for name in {"unknown", "unknown invoice", "version"} - due}


def test_a_dry_run_says_what_and_changes_nothing(inbox):
    said = command("--reason", "unknown_customer", "--dry-run")

    assert "2 would be replayed." in said
    assert "unknown_customer  invoice.created  invoice.created" in said
    assert not StripeEvent.objects.filter(processed_at__isnull=True).exists()
    assert SubsStuckEvent.objects.filter(resolved_at__isnull=True).count() == 3


def test_a_processed_event_that_is_replayed_finds_nothing_left_to_do(inbox):
    event = inbox["processed"]
    # Newer than what we know, so that nobody has to be asked.
    StripeEvent.objects.filter(pk=event.pk).update(created_at=event.created_at + timedelta(days=1))

    command(event.pk)
    world.forward()

    assert world.outcome_of(event) == Outcome.NOTHING
    assert len(world.processed_entries(event)) == 2


def test_ids_and_a_group_are_not_mixed(inbox):
    with pytest.raises(CommandError):
        command(inbox["version"].pk, "--reason", "version")


def test_somebody_looks_after_what_waits_until_it_is_taken_up(inbox):
    item = SubsStuckEvent.objects.get(external_id=inbox["version"].pk)

    taken = take_stuck(item, owner="agent:ann", now=clock.now())
    still_waits = Group(reason="version").items().values_list("owner", flat=True)

    assert taken
    assert list(still_waits) == ["agent:ann"]
    told = JournalEntry.objects.filter(kind="stuck.taken").values_list("actor", "cause")
    assert list(told) == [("agent:ann", f"stripe:{inbox['version'].pk}")]


def test_nobody_can_look_after_what_was_taken_up_again(inbox):
    item = SubsStuckEvent.objects.get(external_id=inbox["version"].pk)
    replay(StripeEvent.objects.filter(pk=item.external_id), now=clock.now())

    taken = take_stuck(item, owner="agent:ann", now=clock.now())

    assert not taken
    assert SubsStuckEvent.objects.get(pk=item.pk).owner == ""
    assert not JournalEntry.objects.filter(kind="stuck.taken").exists()


def test_a_group_says_since_when_its_oldest_waits(inbox):
    times = SubsStuckEvent.objects.filter(reason="unknown_customer", kind="customer.updated")
    with unguarded():
        times.update(stuck_at=clock.now() - timedelta(days=3))

    groups = {(group["reason"], group["kind"]): group for group in Group().counts()}

    assert groups["unknown_customer", "customer.updated"]["oldest_at"] == times.get().stuck_at
