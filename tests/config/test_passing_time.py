"""Time that passes stop by stop: nothing is jumped over, and what never comes to rest is named."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.claim import give_back, take
from accounts.models import Lease
from billing.cfstripe.client import client
from billing.changes_calculator.submit import submit
from billing.models.changes import ChangeWorkflow
from config import clock as business
from config.next_due import next_due, unfinished
from config.passing_time import NotQuiet, pass_time
from tests.billing.people import NEEDS_3DS, customer, wish
from webhooks.models import StripeEvent

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def waiting_change() -> ChangeWorkflow:
    """A change that waits for its customer: it is looked at again ten minutes later."""
    account, zone = customer(card=NEEDS_3DS)
    return ChangeWorkflow.objects.get(pk=submit(wish(account, zone)).workflow_id)


def test_each_due_time_on_the_way_is_a_stop(clock):
    clock.freeze()
    list(pass_time(business.now()))
    workflow = waiting_change()
    expires_at = workflow.expires_at

    stops = [stop.at for stop in pass_time(expires_at + timedelta(hours=1))]

    assert workflow.next_at in stops
    assert any(expires_at <= stop <= expires_at + timedelta(minutes=1) for stop in stops)
    assert stops == sorted(stops)
    workflow.refresh_from_db()
    assert workflow.step == "expired"


def test_the_next_due_time_is_the_earliest_of_all_work(clock):
    clock.freeze()
    list(pass_time(business.now()))
    workflow = waiting_change()
    list(pass_time(business.now()))

    assert next_due() == ChangeWorkflow.objects.get(pk=workflow.pk).next_at
    assert unfinished(business.now()) == []
    assert unfinished(workflow.next_at) == ["change_workflow"]


def test_work_that_somebody_holds_is_not_quiet_and_is_named(clock):
    clock.freeze()
    held: Lease | None = take(ChangeWorkflow, waiting_change().pk)
    assert held is not None

    with pytest.raises(NotQuiet, match="change_workflow"):
        list(pass_time(business.now() + timedelta(hours=1), stop_seconds=0.3))

    give_back(held)


def test_what_stripe_could_not_deliver_is_asked_for_as_beat_would(clock, sandbox):
    clock.freeze()
    list(pass_time(business.now()))
    account, _ = customer()
    began_at = business.now()
    passing = pass_time(began_at + timedelta(days=3))
    next(passing)
    sandbox.post("/_sandbox/faults", {"kind": "webhook_dropped", "type": "customer.updated"})
    client().v1.customers.update(account.customer.stripe_customer_id, {"description": "told to nobody"})

    stops = [stop.at for stop in passing]

    sandbox.delete("/_sandbox/faults")
    told = StripeEvent.objects.filter(payload__data__object__description="told to nobody")
    assert list(told.values_list("account_id", "outcome")) == [(account.pk, "nothing")]
    assert began_at + timedelta(minutes=15) in stops


def test_the_command_lets_time_pass_and_the_clock_runs_on(clock):
    clock.freeze()
    start, said = business.now(), StringIO()

    call_command("advance_clock", "--days=2", "--json", stdout=said)

    summary = json.loads(said.getvalue())
    assert summary["from"] == start.isoformat()
    assert business.now() >= start + timedelta(days=2)
    assert business.now() < start + timedelta(days=2, minutes=5)
    assert not (business.settings.DATA_DIR / "clock.json").read_text().startswith('{"frozen')


def test_the_clock_does_not_go_back():
    with pytest.raises(CommandError, match="forward only"):
        call_command("advance_clock", "--to=2020-01-01")
