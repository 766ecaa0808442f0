"""For each act of the panel a row that it is allowed on, one that it is not, and what is filled in. None may be missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from accounts.create_account import create_account
from accounts.lock import account_lock
from accounts.models import Account, SubsStuckEvent, Zone
from billing.add_zone import add_zone
from billing.changes_calculator.licences import Licence
from billing.changes_calculator.request import ChangeRequest, ObjectKind, Origin, Want
from billing.changes_calculator.submit import submit
from billing.close_account import close_account
from billing.invoicing import ledger, postings
from billing.invoicing.books import Book
from billing.models.changes import ChangeWorkflow
from billing.models.credits import Credit
from billing.models.domains import PoisonMessage
from billing.models.invoices import Invoice
from billing.models.ledger import LedgerTransaction
from billing.models.objectproducts import Ope
from billing.remove_zone import remove_zone
from config import clock
from dunning import outages
from dunning.models.conclusions import SubsDunning
from tests.admin import world
from tests.factories import AccountFactory
from tests.guard import unguarded
from webhooks.models import StripeEvent

OTHER_ACCOUNT = "d" * 32


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


def nobody() -> None:
    """No row in particular."""
    with unguarded():
        world.account_with_everything()


def nobody_in_an_outage() -> None:
    nobody()
    outages.declare(actor="agent:x", now=clock.now())


def owing_account() -> SubsDunning:
    return SubsDunning.objects.get(account=world.account_with_everything())


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


def newcomer(name: str = "newcomer") -> Account:
    """An account with a free zone, while the catalogue is on sale; one plan of it to some accounts alone."""
    world.publish_catalog(sets={"workers_paid": ["preview"]})
    now = clock.now()
    account = create_account(name=name, email=f"{name}@example.com", actor="system:tests", now=now)
    add_zone(account.pk, name=f"{name}.example", actor="system:tests", now=now)
    return Account.objects.select_related("subs_account").get(pk=account.pk)


def closed_account() -> Account:
    account = newcomer()
    close_account(account.pk, actor="system:tests", now=clock.now())
    return Account.objects.select_related("subs_account").get(pk=account.pk)


def free_zone() -> Zone:
    """A zone that may be moved to OTHER_ACCOUNT."""
    zone = Zone.objects.get(account=newcomer())
    AccountFactory(id=OTHER_ACCOUNT)
    return zone


def removed_zone() -> Zone:
    zone = free_zone()
    remove_zone(zone, actor="system:tests", now=clock.now())
    return Zone.objects.get(pk=zone.pk)


def granted_ope() -> Ope:
    zone = Zone.objects.get(account=newcomer())
    want = Want(ObjectKind.ZONE, zone.pk, "enterprise", licence=Licence("CONTRACT:CONTRACT"))
    submit(
        ChangeRequest(
            account_id=zone.account_id,
            wants=(want,),
            origin=Origin.NINJAPANEL,
            actor="agent:tests",
            on_session=False,
            requested_at=clock.now(),
        )
    )
    return Ope.objects.get(object_id=zone.pk, deleted_date__isnull=True)


def free_ope() -> Ope:
    return Ope.objects.get(account=newcomer(), deleted_date__isnull=True)


def ending_ope() -> Ope:
    account = world.account_with_everything()
    return next(ope for ope in Ope.objects.filter(account=account) if ope.scheduled)


def message_of_a_known_account() -> PoisonMessage:
    with unguarded():
        return world.keep_aside(world.registrar_message(newcomer(), "blog.newcomer.example"))


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
    Example(
        panel="Account",
        act="grant-licence",
        allowed=newcomer,
        refused=closed_account,
        values={"plan": "workers_paid", "by": "ADMIN"},
    ),
    Example(
        panel="Account",
        act="access",
        allowed=newcomer,
        refused=closed_account,
        values={"sets": ["preview"]},
    ),
    Example(panel="Account", act="buyer", allowed=newcomer, values={"company": "Acme GmbH", "tax_id": "DE 811907980"}),
    Example(panel="Account", act="type", allowed=newcomer, refused=closed_account, values={"type": "enterprise"}),
    Example(panel="Account", act="close", allowed=newcomer, refused=closed_account),
    Example(
        panel="DunningAction",
        act="brake",
        allowed=nobody,
        values={"kind": "mirror", "brake": "stopped", "limit": ""},
    ),
    Example(panel="DunningAction", act="declare-outage", allowed=nobody, refused=nobody_in_an_outage),
    Example(panel="DunningAction", act="end-outage", allowed=nobody_in_an_outage, refused=nobody),
    Example(panel="SubsDunning", act="recompute", allowed=owing_account),
    Example(panel="SubsDunning", act="forgive", allowed=owing_account, told_by="tests/dunning/test_way_back.py"),
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
    Example(panel="Ope", act="end-licence", allowed=granted_ope, refused=free_ope),
    Example(
        panel="Ope",
        act="take-back",
        allowed=ending_ope,
        refused=free_ope,
        told_by="tests/billing/test_scheduled_act.py",
    ),
    Example(
        panel="PoisonMessage",
        act="replay",
        allowed=message_of_a_known_account,
        told_by="tests/billing/test_domains.py",
    ),
    Example(panel="StripeEvent", act="replay", allowed=processed_event, refused=unprocessed_event),
    Example(panel="SubsStuckEvent", act="replay", allowed=stuck_event, refused=released_event),
    Example(panel="SubsStuckEvent", act="take", allowed=stuck_event, refused=released_event),
    Example(panel="SubsStuckEvent", act="settle", allowed=stuck_event, refused=released_event),
    Example(panel="SubsStuckEvent", act="replay-group", allowed=stuck_event, values={"kind": "invoice.paid"}),
    Example(
        panel="Zone",
        act="grant-licence",
        allowed=free_zone,
        refused=removed_zone,
        values={"plan": "enterprise", "by": "CONTRACT"},
    ),
    Example(panel="Zone", act="move", allowed=free_zone, refused=removed_zone, values={"account": OTHER_ACCOUNT}),
)
