"""What forwarding tests stand on: accounts with a mapped customer, and events in the inbox."""

from datetime import timedelta
from typing import Any

from django.db import connection

from accounts import journal
from accounts.create_account import create_account
from accounts.lock import account_lock
from accounts.models import Account, Customer, JournalEntry
from billing.cfstripe import mirror
from billing.cfstripe.shapes import read_invoice
from billing.invoicing.record import record_new
from billing.invoicing.states import FinalizeReason
from billing.models.invoices import Invoice
from billing.payments.attempts import note_paid
from config import clock
from tests.guard import unguarded
from webhooks.forwarding import forward_due
from webhooks.models import StripeEvent

from . import payloads


def unmapped_account() -> Account:
    name = payloads.new_id("acct").lower().replace("_", "-")
    return create_account(name=name, email=f"{name}@example.com", actor="system:tests", now=clock.now())


def map_customer(account: Account, customer_id: str) -> None:
    """Write the mapping as the engine does, with the entry that tells the pipe."""
    with account_lock(account.pk):
        Customer.objects.create(account=account, stripe_customer_id=customer_id)
        after = {"stripe_customer_id": customer_id}
        journal.emit(journal.Fact("customer.mapped", account.pk, "system:tests", after=after), at=clock.now())


def customer() -> tuple[Account, str]:
    """Return a fresh account and its customer id."""
    account, customer_id = unmapped_account(), payloads.new_id("cus")
    map_customer(account, customer_id)
    return account, customer_id


def open_invoice(account: Account, raw: payloads.Object) -> Invoice:
    """Let us know this invoice, as it is in `raw`."""
    with account_lock(account.pk):
        facts = read_invoice(raw)
        invoice = record_new(
            facts, (), account_id=account.pk, schedule_id=None, workflow_id=None, reason=FinalizeReason.CYCLE
        )
        after = {"invoice_id": invoice.pk}
        journal.emit(journal.Fact("invoice.updated", account.pk, "system:tests", after=after), at=clock.now())
    return invoice


def paid_invoice(account: Account, customer_id: str) -> str:
    """Let us know an invoice that was paid, and return the id of the payment."""
    payment_id = payloads.new_id("pi")
    pay(open_invoice(account, payloads.invoice(customer_id, status="paid")), payment_id=payment_id)
    return payment_id


def pay(invoice: Invoice, *, payment_id: str) -> None:
    """Let us know by what this invoice was paid."""
    with account_lock(invoice.account_id):
        note_paid(invoice, payment_intent_id=payment_id, now=clock.now())


def mirrored(account: Account, raw: payloads.Object) -> payloads.Object:
    """Let us know this object, as it was an hour ago, and return it."""
    with unguarded():
        mirror.remember([raw], account_id=account.pk, seen_at=clock.now() - timedelta(hours=1))
    return raw


def arrive(event_type: str, of: payloads.Object, **fields: Any) -> StripeEvent:
    """Deliver an event to the door, and return its row."""
    sent = payloads.event(event_type, of, **fields)
    assert payloads.send(sent).status_code == 200
    return StripeEvent.objects.get(pk=sent["id"])


def forward(*, later: timedelta = timedelta()) -> int:
    return forward_due(now=clock.now() + later)


def outcome_of(event: StripeEvent) -> str:
    event.refresh_from_db()
    return event.outcome


def processed_entries(event: StripeEvent) -> list[JournalEntry]:
    return list(JournalEntry.objects.filter(kind="stripe.event_processed", cause=f"stripe:{event.pk}"))


def connection_parameters() -> dict[str, Any]:
    """Return how another session reaches this test's database."""
    return dict(connection.get_connection_params())
