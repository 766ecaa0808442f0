"""Domains: the registrar's events, from the queue to what the account owns, each done once."""

import io
import json
import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import cloudflare
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from accounts.lock import account_lock
from accounts.models import JournalEntry, Notice, SubsAccount, SubsStuckEvent
from billing.changes_calculator.domains import domain_id
from billing.charge_domains import charge_due
from billing.close_account import close_account
from billing.models.changes import ChangeWorkflow
from billing.models.domains import DomainCharge, DomainEvent, PoisonMessage
from billing.models.invoices import Invoice
from billing.models.objectproducts import Ope
from billing.objectproducts.state import OpeState
from billing.queues.domain_events import consume_due
from config.passing_time import pass_time
from tests.api.conftest import Api
from tests.billing.people import DECLINED, NEEDS_3DS, customer
from tests.factories import OpeFactory, phase_of, token_for
from tests.guard import unguarded

YEAR = 365


@pytest.fixture
def registrar(story, catalog, sandbox, clock):
    clock.freeze()
    sandbox.delete("/_sandbox/queues/messages")
    return Registrar(sandbox, clock)


class Registrar:
    """Who tells of domains, through the queue and with the real SDK."""

    def __init__(self, sandbox, clock):
        self.sandbox, self.clock = sandbox, clock
        self.queue = cloudflare.Cloudflare(
            api_token=settings.CF_QUEUES_API_TOKEN, base_url=settings.CF_QUEUES_API_BASE, max_retries=0
        ).queues.messages

    def tell(self, kind, account, domain, *, expires_at=None, event_id=None, ago=timedelta(), **details):
        """Put an event into the queue and return its id."""
        event_id = event_id or f"evt-{uuid4().hex}"
        expires_at = expires_at or self.clock.now() + timedelta(days=YEAR)
        self.push(
            {
                "id": event_id,
                "type": kind,
                "account_id": account.pk,
                "occurred_at": (self.clock.now() - ago).isoformat(),
                "domain": {"name": domain, "expires_at": expires_at.isoformat(), "years": 1} | details,
            }
        )
        return event_id

    def push(self, body):
        self.queue.push(
            settings.CF_QUEUES_QUEUE_ID, account_id=settings.CF_QUEUES_ACCOUNT_ID, body=body, content_type="json"
        )

    def consume(self):
        """Take everything there is, then charge what is due."""
        while consume_due(now=self.clock.now()):
            continue
        charge_due(now=self.clock.now())

    def left(self):
        return self.sandbox.get("/_sandbox/pending")["messages_due"]


def name():
    return f"{uuid4().hex[:12]}.com"


def owned(account, domain):
    return Ope.objects.filter(account=account, object_id=domain_id(domain), deleted_date__isnull=True).first()


def outcomes(account):
    return list(DomainEvent.objects.filter(account=account).order_by("processed_at").values_list("outcome", flat=True))


def test_a_registered_domain_is_paid_by_an_invoice_of_its_own(registrar):
    (account, _), domain = customer(), name()
    expires_at = (registrar.clock.now() + timedelta(days=YEAR)).replace(microsecond=0)

    registrar.tell("registered", account, domain, expires_at=expires_at)
    registrar.consume()

    ope, invoice = owned(account, domain), Invoice.objects.get(account=account)
    assert (invoice.status, invoice.paid_minor, invoice.reason) == ("paid", 1044, "purchase")
    line = invoice.lines.get()
    assert ope.license_source_id == f"{invoice.stripe_invoice_id}:{line.stripe_line_id}"
    assert (ope.current.ends_at, ope.current.value, ope.state) == (expires_at, domain, OpeState.ACTIVE)
    assert (line.ope_id, line.price_id, line.period_end) == (ope.pk, ope.current.price_id, expires_at)
    workflow = ChangeWorkflow.objects.get(account=account)
    assert (workflow.origin, workflow.request["on_session"], workflow.step) == ("cf_queues", False, "committed")
    assert DomainCharge.objects.get(account=account).outcome == "paid"
    assert registrar.left() == 0


def test_an_event_that_comes_twice_is_done_once(registrar, stripe_calls):
    (account, _), domain = customer(), name()
    event_id = registrar.tell("registered", account, domain)
    registrar.consume()
    before = stripe_calls()

    registrar.tell("registered", account, domain, event_id=event_id)
    registrar.tell("registered", account, domain)
    registrar.consume()

    assert stripe_calls() == before
    assert Invoice.objects.filter(account=account).count() == 1
    assert outcomes(account) == ["charge_asked", "unchanged"]


def test_a_registration_costs_four_calls(registrar, stripe_calls):
    (account, _), domain = customer(), name()
    registrar.tell("registered", account, domain)
    before = stripe_calls()

    registrar.consume()

    names = ("Invoice.create", "InvoiceItem.create", "Invoice.finalize_invoice", "Invoice.pay")
    assert stripe_calls() - before == dict.fromkeys(names, 1)


@pytest.mark.parametrize("card", [DECLINED, NEEDS_3DS, None])
def test_what_is_not_paid_is_not_owned_and_the_customer_is_told(registrar, card):
    (account, _), domain = customer(card=card), name()

    registrar.tell("transferred_in", account, domain)
    registrar.consume()

    assert owned(account, domain) is None
    assert not Invoice.objects.filter(account=account).exists()
    charge = DomainCharge.objects.get(account=account)
    assert charge.outcome == ("authentication_required" if card == NEEDS_3DS else "payment_declined")
    told = Notice.objects.get(account=account)
    assert (told.kind, told.facts["domain"]) == ("domain_unpaid", domain)
    assert all(invoice["status"] in ("void", "draft") for invoice in _invoices_at_stripe(registrar, charge))


def _invoices_at_stripe(registrar, charge):
    workflow = ChangeWorkflow.objects.get(pk=charge.workflow_id)
    if not workflow.stripe_invoice_id:
        return []
    return [registrar.sandbox.get(f"/v1/invoices/{workflow.stripe_invoice_id}")]


def test_who_owes_gets_no_new_domain(registrar):
    (account, _), domain = customer(), name()
    with unguarded():
        SubsAccount.objects.filter(account=account).update(flags=1 << 15)

    registrar.tell("registered", account, domain)
    registrar.consume()

    assert (owned(account, domain), DomainCharge.objects.get(account=account).outcome) == (None, "outstanding_balance")
    assert Notice.objects.get(account=account).kind == "domain_unpaid"


def test_a_closed_account_gets_and_renews_no_domain(registrar):
    (account, _), domain = customer(), name()
    expires_at = _held_until(registrar, account, domain, days=40)
    close_account(account.pk, actor="system:tests", now=registrar.clock.now())

    registrar.tell("renewed", account, domain, expires_at=expires_at + timedelta(days=YEAR))
    registrar.tell("registered", account, (new := name()))
    registrar.consume()
    for _ in pass_time(expires_at - timedelta(hours=1)):
        continue

    assert owned(account, new) is None
    charges = DomainCharge.objects.filter(account=account).exclude(outcome="paid")
    assert set(charges.values_list("outcome", flat=True)) == {"account_closed"}
    assert not Invoice.objects.filter(account=account).exists()


def test_a_renewal_is_tried_four_times_the_last_the_day_before(registrar):
    (account, _), domain = customer(card=DECLINED), name()
    expires_at = _held_until(registrar, account, domain, days=40)

    registrar.tell("renewed", account, domain, expires_at=expires_at + timedelta(days=YEAR))
    for _ in pass_time(expires_at - timedelta(hours=1)):
        continue

    tried = ChangeWorkflow.objects.filter(account=account).order_by("requested_at")
    days_before = [(expires_at - workflow.requested_at).days for workflow in tried]
    assert days_before == [30, 14, 5, 1]
    told = list(Notice.objects.filter(account=account).order_by("level").values_list("kind", "level"))
    assert told == [*(("domain_renewal_unpaid", level) for level in (1, 2, 3)), ("domain_expires", 4)]
    charge = DomainCharge.objects.get(account=account)
    assert (charge.outcome, charge.tries) == ("payment_declined", 4)
    assert owned(account, domain).current.ends_at == expires_at, "what was paid stays until it expires"


def test_a_renewal_that_is_paid_moves_the_expiry_and_is_not_tried_again(registrar):
    (account, _), domain = customer(), name()
    expires_at = _held_until(registrar, account, domain, days=20)
    until = expires_at + timedelta(days=YEAR)

    registrar.tell("renewed", account, domain, expires_at=until)
    registrar.consume()
    registrar.tell("expired", account, domain, expires_at=expires_at)
    registrar.consume()

    ope = owned(account, domain)
    assert (ope.current.ends_at, ope.license_source_id[:3]) == (until, "in_")
    assert Invoice.objects.get(account=account).lines.get().period_start == expires_at
    assert outcomes(account)[-2:] == ["charge_asked", "outdated"], "an expiry that a renewal overtook ends nothing"


def test_a_domain_that_is_not_to_be_renewed_ends_at_its_expiry_and_is_not_charged(registrar):
    (account, _), domain = customer(), name()
    expires_at = _held_until(registrar, account, domain, days=40)
    registrar.tell("renewed", account, domain, expires_at=expires_at + timedelta(days=YEAR))
    registrar.consume()

    registrar.tell("auto_renew_changed", account, domain, expires_at=expires_at, auto_renew=False)
    registrar.consume()

    ope = owned(account, domain)
    assert (ope.state, ope.scheduled.starts_at) == (OpeState.CANCEL_SCHEDULED, expires_at)
    assert DomainCharge.objects.get(account=account).outcome == "not_wanted"

    registrar.tell(
        "auto_renew_changed", account, domain, expires_at=expires_at, auto_renew=True, ago=timedelta(minutes=-1)
    )
    registrar.tell(
        "auto_renew_changed", account, domain, expires_at=expires_at, auto_renew=False, ago=timedelta(hours=1)
    )
    registrar.consume()
    assert owned(account, domain).scheduled is None
    assert outcomes(account)[-1] == "outdated", "the older of two that overtook each other changes nothing"


@pytest.mark.parametrize("kind", ["expired", "deleted"])
def test_what_has_ended_at_the_registrar_is_not_owned_any_more(registrar, kind):
    (account, _), domain = customer(), name()
    expires_at = _held_until(registrar, account, domain, days=1)
    registrar.clock.advance(days=2)

    registrar.tell(kind, account, domain, expires_at=expires_at)
    registrar.tell(kind, account, domain, expires_at=expires_at)
    registrar.consume()

    assert owned(account, domain) is None
    assert outcomes(account) == ["committed", "unchanged"]


POISON = [
    "no json",
    {"id": "evt-1"},
    {"id": "evt-2", "type": "sold", "domain": {}},
    {
        "id": "evt-3",
        "type": "registered",
        "account_id": "f" * 32,
        "occurred_at": "2026-01-01T00:00:00Z",
        "domain": {"name": "nobody.com", "expires_at": "2027-01-01T00:00:00Z"},
    },
]


@pytest.mark.parametrize("body", POISON)
def test_poison_is_kept_aside_at_the_third_time_and_holds_up_nothing(registrar, body):
    (account, _), domain = customer(), name()
    if isinstance(body, dict):
        body = body | {"id": f"{body['id']}-{uuid4().hex[:8]}"}
    known = set(PoisonMessage.objects.values_list("pk", flat=True))
    registrar.push(body)
    registrar.tell("registered", account, domain)

    registrar.consume()
    assert owned(account, domain) is not None
    assert set(PoisonMessage.objects.values_list("pk", flat=True)) == known, "not yet"
    for _ in range(2):
        registrar.clock.advance(minutes=1)
        registrar.consume()

    (kept,) = PoisonMessage.objects.exclude(pk__in=known)
    item = SubsStuckEvent.objects.get(source="queue", external_id=kept.pk)
    assert (item.resolved_at, item.reason) == (None, "retries_exhausted")
    assert json.loads(kept.body) == body
    assert registrar.left() == 0
    PoisonMessage.objects.filter(pk=kept.pk).delete()


def test_poison_is_acted_on_once_its_cause_is_mended(registrar):
    (account, _), domain = customer(), name()
    event_id = registrar.tell("registered", account, domain)
    body = json.dumps(
        {
            "id": event_id,
            "type": "registered",
            "account_id": account.pk,
            "occurred_at": registrar.clock.now().isoformat(),
            "domain": {"name": domain, "expires_at": (registrar.clock.now() + timedelta(days=YEAR)).isoformat()},
        }
    )
    registrar.sandbox.delete("/_sandbox/queues/messages")
    PoisonMessage.objects.create(id=event_id, body=body, kept_at=registrar.clock.now())
    PoisonMessage.objects.create(id=f"still-{event_id}", body="no json", kept_at=registrar.clock.now())
    said = io.StringIO()

    call_command("consume_domain_events", "--replay", event_id, f"still-{event_id}", stdout=said)

    assert "1 stuck messages were acted on; 1 are stuck still" in said.getvalue()
    assert outcomes(account) == ["charge_asked"]
    assert list(PoisonMessage.objects.filter(pk__contains=event_id)) != []
    PoisonMessage.objects.filter(pk__contains=event_id).delete()


def test_a_message_whose_account_is_being_changed_waits(registrar):
    (account, _), domain = customer(), name()
    registrar.tell("registered", account, domain)
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with account_lock(account.pk):
            held.set()
            let_go.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    consume_due(now=registrar.clock.now())
    let_go.set()
    holder.join()

    assert outcomes(account) == []
    registrar.clock.advance(minutes=1)
    registrar.consume()
    assert owned(account, domain) is not None


def test_a_queue_that_is_silent_loses_nothing(registrar, settings):
    settings.CF_QUEUES_QUEUE_ID = "nowhere"

    assert consume_due(now=registrar.clock.now()) == 0


def test_time_that_is_made_to_pass_reads_the_queue(registrar):
    (account, _), domain = customer(), name()
    registrar.tell("registered", account, domain)

    for _ in pass_time(registrar.clock.now() + timedelta(minutes=1)):
        continue

    assert owned(account, domain) is not None
    kinds = set(JournalEntry.objects.filter(account=account).values_list("kind", flat=True))
    assert kinds >= {"domain.event_processed", "domain.paid", "change.committed"}


def test_a_dashboard_can_neither_buy_nor_end_a_domain(registrar):
    (account, _), domain = customer(), name()
    registrar.tell("registered", account, domain)
    registrar.consume()
    api = Api(token_for(account))

    listed = [s for s in api.get(f"/accounts/{account.pk}/subscriptions").json()["result"]
              if s["rate_plan"]["id"] == "registrar_com"]  # fmt: skip
    ended = api.call("DELETE", f"/accounts/{account.pk}/subscriptions/{listed[0]['id']}")

    assert (listed[0]["state"], listed[0]["price"], listed[0]["frequency"]) == ("Paid", 10.44, "yearly")
    assert ended.status_code == 400
    assert owned(account, domain) is not None


def _held_until(registrar, account, domain, *, days):
    """Let the account own a domain that expires in so many days, as if it had been paid long ago."""
    expires_at = (registrar.clock.now() + timedelta(days=days)).astimezone(UTC).replace(microsecond=0)
    phase = phase_of(
        "pro", value=domain, rank=1, rate_plan_id="registrar_com", price_id="registrar_com_year_v1",
        stripe_price_id="", interval="year", unit_amount_minor=1044,
        starts_at=datetime(2026, 1, 1, tzinfo=UTC), ends_at=expires_at,
    )  # fmt: skip
    OpeFactory.create(
        account=account,
        object_kind="domain",
        object_id=domain_id(domain),
        product="registrar_com",
        license_source_id="in_long_ago:il_long_ago",
        phase=phase,
    )
    return expires_at
