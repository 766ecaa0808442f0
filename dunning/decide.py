"""
What an account's debt means: ordered rows, the first that applies decides, and its name is kept and shown. Pure.

Facts in, decision out. It may be asked at any time, twice, late or in another order: the answer is the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from .facts import AccountFacts, Debt, DunningStatus, InvoiceFacts
from .policy import Cell, Lift, Policy, Treatment
from .retry import Standing, standing_of

LAST_LEVEL = 6
_SKIPPED = Cell(Treatment.SKIP)


@dataclass(frozen=True, slots=True)
class Retry:
    """An invoice that is charged again, and when."""

    invoice_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What should be, and the row that says so. `status` None: nobody acts, and what stands stays as it is.

    `level`: failed charges on the schedule of the oldest invoice that is still tried, 0 to 6; each level names its
    notice. `bad`: the invoices that are bad debt and unpaid. `retries`: the charges to come. `wake_at`: when time alone
    may change the answer.
    """

    status: DunningStatus | None
    because: str
    policy_version: int
    cell: Cell
    level: int = 0
    bad: tuple[InvoiceFacts, ...] = ()
    retries: tuple[Retry, ...] = ()
    wake_at: datetime | None = None

    @property
    def restricts(self) -> bool:
        """Whether what bad debt brings is to be, as far as the type's cell says."""
        return self.status is DunningStatus.BAD_DEBT


def overdue(facts: AccountFacts, cell: Cell) -> tuple[InvoiceFacts, ...]:
    """Return what is owed and due, the latest first."""
    net = timedelta(days=cell.net_days)
    return tuple(each for each in facts.owed if each.finalized_at + net <= facts.as_of)


class Question:
    """The facts next to the policy, and what several rows ask of both."""

    def __init__(self, facts: AccountFacts, policy: Policy) -> None:
        self.facts = facts
        self.policy = policy
        self.cell = policy.cells.get(facts.account_type, _SKIPPED)

    @cached_property
    def overdue(self) -> tuple[InvoiceFacts, ...]:
        """What is owed and due, the latest first."""
        return overdue(self.facts, self.cell)

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """Where each invoice stands that is still tried, the oldest last: its clock has run longest."""
        tried = (invoice for invoice in self.overdue if not invoice.ever_bad)
        return {invoice.id: standing_of(invoice, self.facts, self.cell) for invoice in tried}

    @cached_property
    def remaining(self) -> dict[str, Standing]:
        """The standings of what is not given up now."""
        return {invoice_id: standing for invoice_id, standing in self.standings.items() if not standing.is_over}

    @cached_property
    def lifted(self) -> tuple[InvoiceFacts, ...]:
        """
        Bad debt that restricts nobody any more, though it is still owed: a later invoice that was bad has been paid.

        Not while an invoice is unpaid that was there before that payment. One that came after it runs its own course;
        if it is given up too, it is the latest, and nothing is lifted.
        """
        latest = next((invoice for invoice in self.facts.invoices if invoice.ever_bad), None)
        if self.cell.lift is not Lift.LATEST or latest is None or latest.debt is not Debt.PAID:
            return ()
        others = [invoice for invoice in self.overdue if not invoice.ever_bad]
        if any(latest.paid_at is None or invoice.finalized_at <= latest.paid_at for invoice in others):
            return ()
        if len(self.remaining) < len(self.standings):
            return ()
        return tuple(invoice for invoice in self.overdue if invoice.ever_bad)

    @cached_property
    def counting(self) -> tuple[InvoiceFacts, ...]:
        """What is overdue and has not been lifted, the latest first."""
        return tuple(invoice for invoice in self.overdue if invoice not in self.lifted)

    @cached_property
    def bad(self) -> tuple[InvoiceFacts, ...]:
        """Debt that is bad, or is so from now on: nothing more is tried for it."""
        return tuple(invoice for invoice in self.counting if invoice.id not in self.remaining)


@dataclass(frozen=True, slots=True)
class Row:
    """One case of the policy; `status` None: hands off."""

    because: str
    applies: Callable[[Question], bool]
    status: DunningStatus | None


# Read from the top; the first row that applies decides. The order is the policy.
ROWS: tuple[Row, ...] = (
    Row("merged account",            lambda q: q.facts.is_merged,                        None),
    Row("unknown account type",      lambda q: q.facts.account_type not in q.policy.cells, None),
    Row("type is skipped",           lambda q: q.cell.treatment is Treatment.SKIP,       None),
    Row("contract is overdue",       lambda q: _is_contract(q) and bool(q.overdue),      DunningStatus.REMINDED),
    Row("nothing owed",              lambda q: not q.overdue,                            DunningStatus.CLEAR),
    Row("progressive: latest paid",  lambda q: not q.counting,                           DunningStatus.CLEAR),
    Row("payment in flight",         lambda q: any(i.is_in_flight for i in q.counting),  None),
    Row("uncollectible debt",        lambda q: _is_uncollectible(q),                     DunningStatus.BAD_DEBT),
    Row("retries are exhausted",     lambda q: bool(q.bad),                              DunningStatus.BAD_DEBT),
    Row("the customer must act",     lambda q: _waits(q),                                DunningStatus.ACTION_REQUIRED),
    Row("retries remain",            lambda _: True,                                     DunningStatus.RETRYING),
)  # fmt: skip


def decide(facts: AccountFacts, policy: Policy) -> Decision:
    """Return what should be, by the first row that applies as of the facts' moment."""
    question = Question(facts, policy)
    row = next(row for row in ROWS if row.applies(question))
    if row.status is None:  # a payment in flight asks again by its outcome; nothing else here changes by time
        return Decision(None, row.because, policy.version, question.cell)
    collects = question.cell.treatment is Treatment.COLLECT
    return Decision(
        status=row.status,
        because=row.because,
        policy_version=policy.version,
        cell=question.cell,
        level=_level(question, row.status),
        bad=question.bad if row.status is DunningStatus.BAD_DEBT else (),
        retries=_retries(question) if collects else (),
        wake_at=_wake_at(question),
    )


def _is_contract(question: Question) -> bool:
    return question.cell.treatment is Treatment.REMIND


def _is_uncollectible(question: Question) -> bool:
    return any(invoice.debt is Debt.UNCOLLECTIBLE for invoice in question.counting)


def _waits(question: Question) -> bool:
    return any(standing.waits_for_customer for standing in question.remaining.values())


def _retries(question: Question) -> tuple[Retry, ...]:
    return tuple(
        Retry(invoice_id, standing.next_at)
        for invoice_id, standing in question.remaining.items()
        if standing.next_at is not None
    )


def _level(question: Question, status: DunningStatus) -> int:
    """How far the oldest invoice that is still tried has come; the last level is bad debt alone."""
    if status is DunningStatus.BAD_DEBT:
        return LAST_LEVEL
    if status not in (DunningStatus.RETRYING, DunningStatus.ACTION_REQUIRED):
        return 0
    oldest = list(question.remaining.values())[-1]
    return min(oldest.scheduled_failures, LAST_LEVEL - 1)


def _wake_at(question: Question) -> datetime | None:
    """The next moment at which nothing but time makes a difference: an invoice falls due, or a grace period ends."""
    net, now = timedelta(days=question.cell.net_days), question.facts.as_of
    falls_due = [invoice.finalized_at + net for invoice in question.facts.owed]
    grace_ends = [standing.grace_ends_at for standing in question.remaining.values()]
    if question.cell.treatment is not Treatment.COLLECT:
        grace_ends = []
    return min((at for at in (*falls_due, *grace_ends) if at is not None and at > now), default=None)
