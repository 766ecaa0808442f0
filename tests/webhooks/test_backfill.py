"""What never arrived is found at Stripe and takes the road of all events; where we are is told to Stripe once."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from accounts.models import JournalEntry
from billing.cfstripe.client import API_VERSION, client
from billing.changes_calculator.submit import submit
from billing.models.invoices import Invoice
from tests.billing.people import customer, wish
from webhooks.backfill import backfill_recent
from webhooks.handler_registry import ROUTES
from webhooks.models import StripeEvent

from . import world


def command(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def life(story, catalog, clock):
    """A purchase of which nobody told us, at a time of its own: no endpoint of ours is known to Stripe."""
    since = clock.advance(days=40)
    account, zone = customer()
    submit(wish(account, zone))
    return account, since


def theirs(account):
    return StripeEvent.objects.filter(payload__data__object__customer=account.customer.stripe_customer_id)


def test_a_days_outage_is_made_up_for(life, clock):
    account, since = life
    assert not theirs(account).exists()
    committed = JournalEntry.objects.filter(account=account, kind="change.committed").count()
    clock.advance(hours=24)

    looked = command("backfill_events", "--since", since.isoformat(), "--dry-run")
    assert not theirs(account).exists()
    said = command("backfill_events", "--since", since.isoformat())
    while world.forward():
        continue
    again = command("backfill_events", "--since", "25h")

    missing = said.split("; ")[1].split()[0]
    assert int(missing) >= 6
    assert f"{missing} are missing" in looked
    assert "; 0 were missing" in again
    types = set(theirs(account).values_list("type", flat=True))
    assert types >= {"invoice.paid", "customer.subscription.created", "payment_method.attached"}
    assert types <= set(ROUTES)
    assert not theirs(account).filter(processed_at__isnull=True).exists()
    assert Invoice.objects.filter(account=account).count() == 1
    assert JournalEntry.objects.filter(account=account, kind="change.committed").count() == committed


def test_what_cannot_be_delivered_is_taken_up_by_itself(story, catalog, sandbox, clock):
    endpoint = sandbox.put(
        "/_sandbox/endpoints",
        {"url": "http://127.0.0.1:9/webhooks/stripe", "secret": "whsec_x", "enabled_events": ["*"]},
    )
    clock.advance(days=40)
    account, zone = customer()
    submit(wish(account, zone))

    found = backfill_recent(now=clock.now())
    again = backfill_recent(now=clock.now())

    sandbox.delete(f"/v1/webhook_endpoints/{endpoint['id']}")
    assert (
        found
        == theirs(account).count()
        + StripeEvent.objects.filter(
            type="customer.updated", payload__data__object__id=account.customer.stripe_customer_id
        ).count()
    )
    assert found >= 6
    assert again == 0


@pytest.mark.parametrize(
    ("since", "said"),
    [("31d", "30 days"), ("yesterday", "90m, 36h, 2d"), ("", "90m, 36h, 2d"), ("2020-01-01", "30 days")],
)
def test_a_time_that_cannot_be_meant_is_refused(db, sandbox, since, said):
    with pytest.raises(CommandError, match=said):
        command("backfill_events", "--since", since)


def test_a_stripe_that_does_not_answer_is_said(db, sandbox):
    sandbox.post("/_sandbox/faults", {"kind": "server_error", "count": 9})
    try:
        with pytest.raises(CommandError, match="does not answer"):
            command("backfill_events", "--since", "1h")
    finally:
        sandbox.delete("/_sandbox/faults")


def test_stripe_is_told_which_types_we_act_on_and_no_others(db, sandbox):
    url = f"https://{uuid4().hex}.example/webhooks/stripe"

    first, again = command("register_webhook", "--url", url), command("register_webhook", "--url", url)

    (endpoint,) = [e for e in client().v1.webhook_endpoints.list({"limit": 100}).data if e.url == url]
    assert list(endpoint.enabled_events) == list(ROUTES)
    assert endpoint.api_version == API_VERSION
    assert "27 types added" in first
    assert "whsec_" in first
    assert "0 types added, 0 removed" in again
    assert "whsec_" not in again

    client().v1.webhook_endpoints.update(endpoint.id, {"enabled_events": ["invoice.paid", "charge.updated"]})
    mended = command("register_webhook", "--url", url)

    assert "26 types added, 1 removed" in mended
    client().v1.webhook_endpoints.delete(endpoint.id)


def test_since_is_counted_from_business_time(story, clock):
    from webhooks.management.commands.backfill_events import moment

    clock.freeze()

    assert moment("36h") == clock.now() - timedelta(hours=36)
    assert moment("2027-03-05").isoformat() == "2027-03-05T00:00:00+00:00"
