"""For each act of the panel a row that it is allowed on, one that it is not, and what is filled in. None may be missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from accounts.lock import account_lock
from accounts.models import SubsStuckEvent
from billing.invoicing import ledger, postings
from billing.invoicing.books import Book
from billing.models.changes import ChangeWorkflow
from billing.models.credits import Credit
from billing.models.invoices import Invoice
from billing.models.ledger import LedgerTransaction
from config import clock
from tests.admin import world
from tests.guard import unguarded
from webhooks.models import StripeEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """
    One act of one panel. `allowed` makes a row on which it may be done (None for an act of the list), `refused`
    one on which its button is shown disabled, None if there can be no such row.

    An act that calls a processor names in `told_by` the story that does it and looks at the journal.
    """

    panel: str
    act: str
    allowed: Callable[[], Any] | None = None
    refused: Callable[[], Any] | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    told_by: str = ""


def processed_event(domain: str = "acme.example") -> StripeEvent:
    account = world.account_with_everything(domain=domain)
    return StripeEvent.objects.get(account_id=account.pk)


def unprocessed_event() -> StripeEvent:
    event = processed_event()
    StripeEvent.objects.filter(pk=event.pk).update(processed_at=None, outcome="")
    return StripeEvent.objects.get(pk=event.pk)


def stuck_event(domain: str = "acme.example") -> SubsStuckEvent:
    """One that waits, whose event is in the inbox."""
    event = processed_event(domain)
    StripeEvent.objects.filter(pk=event.pk).update(outcome="stuck")
    world.keep_waiting(event)
    return SubsStuckEvent.objects.get(external_id=event.pk)


def released_event() -> SubsStuckEvent:
    from webhooks.replay import replay

    item = stuck_event()
    replay(StripeEvent.objects.filter(pk=item.external_id), now=world.NOW)
    return SubsStuckEvent.objects.get(pk=item.pk)


def waiting_change() -> ChangeWorkflow:
    account = world.account_with_everything(domain="acme.example")
    workflow = ChangeWorkflow.objects.get(account=account, finished_at__isnull=True)
    ChangeWorkflow.objects.filter(pk=workflow.pk).update(next_at=clock.now() + timedelta(minutes=10))
    return ChangeWorkflow.objects.get(pk=workflow.pk)


def ended_change() -> ChangeWorkflow:
    workflow = waiting_change()
    ended = {"step": "expired", "finished_at": world.NOW, "client_secret": ""}
    ChangeWorkflow.objects.filter(pk=workflow.pk).update(**ended)
    return ChangeWorkflow.objects.get(pk=workflow.pk)


def paid_invoice() -> Invoice:
    return Invoice.objects.get(account=world.account_with_everything(), status="paid")


def open_invoice() -> Invoice:
    """One whose last try is so long ago that its card may be charged again."""
    invoice = Invoice.objects.get(account=world.account_with_everything(), status="open")
    with unguarded():
        invoice.attempts.update(started_at=clock.now() - timedelta(days=20))
    return invoice


def spendable_credit() -> Credit:
    credit = Credit.objects.get(account=world.account_with_everything())
    with unguarded(), account_lock(credit.account_id):
        ledger.post_of(
            credit.account_id,
            [postings.credit_granted(credit.pk, amount_minor=credit.amount_minor, paid_by=Book.CREDIT_GIVEN)],
            currency=credit.currency,
            at=world.NOW,
        )
    return credit


def ended_credit() -> Credit:
    credit = spendable_credit()
    with unguarded():
        Credit.objects.filter(pk=credit.pk).update(remaining_minor=0, ended_at=world.NOW)
    return Credit.objects.get(pk=credit.pk)


def posted_fact() -> LedgerTransaction:
    return LedgerTransaction.objects.get(account=world.account_with_everything(), kind="finalized")


MONEY = "tests/stories/test_agents_money.py"

EXAMPLES = (
    Example(panel="ChangeWorkflow", act="resume", allowed=waiting_change, refused=ended_change),
    Example(
        panel="ChangeWorkflow",
        act="abandon",
        allowed=waiting_change,
        refused=ended_change,
        told_by="tests/billing/test_superseding.py",
    ),
    Example(panel="Credit", act="take-back", allowed=spendable_credit, refused=ended_credit),
    Example(panel="Invoice", act="collect", allowed=open_invoice, refused=paid_invoice, told_by=MONEY),
    Example(
        panel="Invoice",
        act="refund",
        allowed=paid_invoice,
        refused=open_invoice,
        values={"amount": "20.00", "to": "method"},
        told_by=MONEY,
    ),
    Example(panel="Invoice", act="credit-account", allowed=paid_invoice, values={"amount": "100.00"}),
    Example(panel="Invoice", act="void", allowed=open_invoice, refused=paid_invoice, told_by=MONEY),
    Example(
        panel="LedgerTransaction",
        act="correct",
        allowed=posted_fact,
        values={"debit": "revenue", "credit": "receivable", "amount": "5.00"},
    ),
    Example(panel="StripeEvent", act="replay", allowed=processed_event, refused=unprocessed_event),
    Example(panel="SubsStuckEvent", act="replay", allowed=stuck_event, refused=released_event),
    Example(panel="SubsStuckEvent", act="take", allowed=stuck_event, refused=released_event),
    Example(panel="SubsStuckEvent", act="replay-group", allowed=stuck_event, values={"kind": "invoice.paid"}),
)
