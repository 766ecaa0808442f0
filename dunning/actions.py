"""Which actions follow from a decision: rows that are carried out after its commit, each asked for once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from billing.models.reversals import CreditNote

from .changes import Change, GiveUp, Mirror
from .consequence_kinds import KINDS, Consequence, Told
from .decide import Decision, overdue
from .facts import AccountFacts, Debt, DunningStatus, InvoiceFacts
from .models.actions import DunningAction
from .models.conclusions import DunningDecision


@dataclass(frozen=True, slots=True)
class Followed:
    """What the commit itself did: notes that were asked for, clocks and subscriptions on which something ended."""

    notes: Mapping[str, CreditNote] = field(default_factory=dict)
    schedule_ids: tuple[str, ...] = ()
    subscription_ids: tuple[str, ...] = ()


def ask(
    facts: AccountFacts, decision: Decision, needed: Sequence[Change], kept: DunningDecision, followed: Followed
) -> None:
    """Write the actions of a decision, those that stand already left as they are. One statement."""
    rows = [
        *_of_invoices(facts, needed, followed),
        *(_row(Consequence.MIRROR, kept.pk) for change in needed if isinstance(change, Mirror)),
        *(
            _row(Consequence.CANCEL_ITEMS, f"{schedule_id}:{kept.pk}"[:120], schedule_id=schedule_id)
            for schedule_id in followed.schedule_ids
        ),
        *_notices(facts, decision, followed),
    ]
    for row in rows:
        row.account_id, row.decision, row.asked_at, row.next_at = facts.account_id, kept, facts.as_of, facts.as_of
    DunningAction.objects.bulk_create(rows, ignore_conflicts=True)


def _of_invoices(facts: AccountFacts, needed: Sequence[Change], followed: Followed) -> Iterator[DunningAction]:
    debts = {invoice.id: invoice.debt for invoice in facts.invoices}
    for change in needed:
        if not isinstance(change, GiveUp):
            continue
        note = followed.notes.get(change.invoice_id)
        if note is not None:
            yield _row(Consequence.CREDIT_NOTE, change.invoice_id, invoice_id=change.invoice_id, credit_note=note)
        if debts[change.invoice_id] is Debt.OPEN:
            yield _row(Consequence.MARK_UNCOLLECTIBLE, change.invoice_id, invoice_id=change.invoice_id)


def _notices(facts: AccountFacts, decision: Decision, followed: Followed) -> Iterator[DunningAction]:
    """
    What is told, once for each invoice and level: of a charge that failed, of what the customer must do, of the end,
    of the way back where something was restricted, and of a contract's overdue invoices, to our own finance.
    """
    match decision.status:
        case DunningStatus.RETRYING if decision.level:
            yield _notice(Told.PAYMENT_FAILED, _tried(facts)[-1:], decision.level)
        case DunningStatus.ACTION_REQUIRED:
            yield _notice(Told.ACTION_REQUIRED, _tried(facts)[-1:], decision.level)
        case DunningStatus.BAD_DEBT if decision.bad:
            yield _notice(Told.BAD_DEBT, decision.bad, decision.level, ended=list(followed.subscription_ids))
        case DunningStatus.REMINDED:
            for invoice in overdue(facts, decision.cell):
                yield _notice(Told.CONTRACT_OVERDUE, (invoice,), 0)
        case DunningStatus.CLEAR if facts.stored.status is DunningStatus.BAD_DEBT and facts.has_bad_debt_flag:
            yield _restored(facts)


def _tried(facts: AccountFacts) -> Sequence[InvoiceFacts]:
    return [invoice for invoice in facts.owed if not invoice.ever_bad]


def _notice(told: Told, invoices: Sequence[InvoiceFacts], level: int, **more: object) -> DunningAction:
    """About the latest of these invoices; what is owed on all of them is read when it is told, credit taken off."""
    latest = invoices[0] if invoices else None
    facts: dict[str, object] = {"told": told.value, "level": level, **more}
    if latest is not None:
        facts["currency"] = latest.currency
        facts["invoice_ids"] = [each.id for each in invoices if each.currency == latest.currency]
    identity = f"{told.value}:{latest.id if latest else ''}:{level}"
    return _row(Consequence.NOTIFY, identity, invoice_id=latest.id if latest else None, facts=facts)


def _restored(facts: AccountFacts) -> DunningAction:
    """About the latest invoice that had become bad, with what older ones still ask for: lifted, they are owed."""
    latest = next((invoice for invoice in facts.invoices if invoice.ever_bad), None)
    notice = _notice(Told.RESTORED, facts.owed, 0)
    notice.invoice_id = latest.id if latest else None
    notice.identity = f"{Told.RESTORED.value}:{latest.id if latest else ''}:0"
    return notice


def _row(kind: Consequence, identity: str, **columns: object) -> DunningAction:
    return DunningAction(kind=kind.value, rank=KINDS[kind].rank, identity=identity, **columns)
