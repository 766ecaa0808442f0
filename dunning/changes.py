"""
What must change so that every store says what was decided: typed, minimal, in the order in which it is done. Pure.

Each change knows one field of one store and the value that is wanted there; it is needed exactly when that field
differs. The drift report is this list; applying it leaves nothing to change.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from .decide import Decision, Retry
from .facts import AccountFacts, DunningStatus, InvoiceFacts, Mirrored, StoredDunning


@dataclass(frozen=True, slots=True)
class SetDunning:
    """subs_dunning says what was decided, and when to ask again by time alone."""

    wanted: StoredDunning

    def differs_from(self, facts: AccountFacts) -> bool:
        return facts.stored != self.wanted

    def applied_to(self, facts: AccountFacts) -> AccountFacts:
        return replace(facts, stored=self.wanted)


@dataclass(frozen=True, slots=True)
class SetBadDebtFlag:
    """Bit 15 of the account's flags."""

    on: bool

    def differs_from(self, facts: AccountFacts) -> bool:
        return facts.has_bad_debt_flag is not self.on

    def applied_to(self, facts: AccountFacts) -> AccountFacts:
        return replace(facts, has_bad_debt_flag=self.on)


@dataclass(frozen=True, slots=True)
class SetBadDebtSince:
    """The customer row's `bad_debt_since`, where there is one; one that is set keeps its time."""

    on: bool

    def differs_from(self, facts: AccountFacts) -> bool:
        return facts.has_customer and (facts.bad_debt_since is not None) is not self.on

    def applied_to(self, facts: AccountFacts) -> AccountFacts:
        return replace(facts, bad_debt_since=facts.as_of if self.on else None)


@dataclass(frozen=True, slots=True)
class SetBan:
    """The account's ban, with the row of the policy that says so."""

    on: bool
    because: str

    def differs_from(self, facts: AccountFacts) -> bool:
        return (facts.banned_at is not None) is not self.on

    def applied_to(self, facts: AccountFacts) -> AccountFacts:
        return replace(facts, banned_at=facts.as_of if self.on else None)


@dataclass(frozen=True, slots=True)
class SetPaymentMethodRequired:
    """Whether purchases are answered with a client secret first."""

    on: bool

    def differs_from(self, facts: AccountFacts) -> bool:
        return (facts.payment_method_required_at is not None) is not self.on

    def applied_to(self, facts: AccountFacts) -> AccountFacts:
        return replace(facts, payment_method_required_at=facts.as_of if self.on else None)


@dataclass(frozen=True, slots=True)
class GiveUp:
    """An invoice becomes bad debt: the unused part of what it billed in advance is credited, and it is marked."""

    invoice_id: str

    def differs_from(self, facts: AccountFacts) -> bool:
        invoice = _invoice(facts, self.invoice_id)
        return invoice.bad_since is None or not invoice.is_credited

    def applied_to(self, facts: AccountFacts) -> AccountFacts:
        bad_since = _invoice(facts, self.invoice_id).bad_since or facts.as_of
        return _with_invoice(facts, self.invoice_id, lambda i: replace(i, bad_since=bad_since, is_credited=True))


@dataclass(frozen=True, slots=True)
class CancelWhatItBills:
    """What a bad invoice bills ends: the customer keeps nothing that was never paid for."""

    invoice_id: str

    def differs_from(self, facts: AccountFacts) -> bool:
        return bool(_invoice(facts, self.invoice_id).live_ope_ids)

    def applied_to(self, facts: AccountFacts) -> AccountFacts:
        return _with_invoice(facts, self.invoice_id, lambda i: replace(i, live_ope_ids=()))


@dataclass(frozen=True, slots=True)
class SetRetry:
    """
    When an invoice is charged again; None: it is not. One that is due is due, whenever it fell due.

    One that was due and is put off, because the processor did not answer, is left to its backoff: only what fell due
    after that, like a method that is new, is a reason to try at once.
    """

    invoice_id: str
    at: datetime | None

    def differs_from(self, facts: AccountFacts) -> bool:
        invoice = _invoice(facts, self.invoice_id)
        planned, put_off_at = invoice.retry_at, invoice.put_off_at
        if planned == self.at:
            return False
        if planned is None or self.at is None:
            return True
        is_due = max(planned, self.at) <= facts.as_of
        is_put_off = put_off_at is not None and self.at <= put_off_at
        return not is_due and not is_put_off

    def applied_to(self, facts: AccountFacts) -> AccountFacts:
        return _with_invoice(facts, self.invoice_id, lambda i: replace(i, retry_at=self.at, put_off_at=None))


@dataclass(frozen=True, slots=True)
class Mirror:
    """The customer's metadata at Stripe: a copy for those who still read it there. It decides nothing."""

    wanted: Mirrored

    def differs_from(self, facts: AccountFacts) -> bool:
        return facts.mirrored is not None and facts.mirrored != self.wanted

    def applied_to(self, facts: AccountFacts) -> AccountFacts:
        return replace(facts, mirrored=self.wanted)


@dataclass(frozen=True, slots=True)
class OpenStuck:
    """Somebody must look: the account can't be told apart from another."""

    def differs_from(self, facts: AccountFacts) -> bool:
        return not facts.is_stuck_as_merged

    def applied_to(self, facts: AccountFacts) -> AccountFacts:
        return replace(facts, is_stuck_as_merged=True)


Change = (
    SetDunning
    | SetBadDebtFlag
    | SetBadDebtSince
    | SetBan
    | SetPaymentMethodRequired
    | GiveUp
    | CancelWhatItBills
    | SetRetry
    | Mirror
    | OpenStuck
)


def changes(facts: AccountFacts, decision: Decision) -> tuple[Change, ...]:
    """
    Return the changes that are needed, and no other, in the order in which they are made.

    Where nobody acts, nothing is changed: neither is a restriction lifted, nor a new one made.
    """
    return tuple(change for change in _wanted(facts, decision) if change.differs_from(facts))


def _wanted(facts: AccountFacts, decision: Decision) -> tuple[Change, ...]:
    if decision.status is None:
        return (OpenStuck(),) if facts.is_merged else ()
    cell, bad = decision.cell, {invoice.id for invoice in decision.bad}
    flags = decision.restricts and cell.flags
    must_act = decision.status is DunningStatus.ACTION_REQUIRED
    needs_method = must_act or (decision.restricts and not _has_fresh_method(facts))
    return (
        *(GiveUp(invoice_id) for invoice_id in sorted(bad)),
        SetDunning(_stored(facts, decision)),
        SetBadDebtFlag(flags),
        SetBadDebtSince(flags),
        SetBan(decision.restricts and cell.bans, decision.because),
        *(CancelWhatItBills(invoice_id) for invoice_id in sorted(bad) if cell.cancels),
        SetPaymentMethodRequired(needs_method),
        *_retries(facts, decision.retries),
        Mirror(Mirrored(bad_debt=flags, account_type=facts.account_type)),
    )


def _stored(facts: AccountFacts, decision: Decision) -> StoredDunning:
    assert decision.status is not None
    failures = max((len(invoice.failures) for invoice in facts.owed), default=0)
    return StoredDunning(
        status=decision.status,
        because=decision.because,
        level=decision.level,
        retry_count=failures,
        recompute_at=decision.wake_at,
    )


def _has_fresh_method(facts: AccountFacts) -> bool:
    """Whether there is a method to charge that has not failed already: one that is new since the last charge."""
    last_at = max((failure.at for invoice in facts.owed for failure in invoice.failures), default=None)
    usable = (method for method in facts.methods if method.is_usable)
    return any(last_at is None or method.usable_since > last_at for method in usable)


def _retries(facts: AccountFacts, wanted: tuple[Retry, ...]) -> tuple[SetRetry, ...]:
    """One for each invoice that has a charge to come, or has one planned that is not to be any more."""
    at = {retry.invoice_id: retry.at for retry in wanted}
    return tuple(
        SetRetry(invoice.id, at.get(invoice.id))
        for invoice in facts.invoices
        if invoice.id in at or invoice.retry_at is not None
    )


def _invoice(facts: AccountFacts, invoice_id: str) -> InvoiceFacts:
    return next(invoice for invoice in facts.invoices if invoice.id == invoice_id)


def _with_invoice(facts: AccountFacts, invoice_id: str, change: Callable[[InvoiceFacts], InvoiceFacts]) -> AccountFacts:
    invoices = (change(invoice) if invoice.id == invoice_id else invoice for invoice in facts.invoices)
    return replace(facts, invoices=tuple(invoices))
