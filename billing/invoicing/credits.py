"""The only writer of credits: granted, reserved for what is being paid, used, freed, taken back, expired."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet, Sum

from accounts import journal
from accounts.claim import claim, finishing
from accounts.lock import account_lock, holds_lock
from accounts.sweep import sweep

from ..models.credits import Credit, CreditExpiry, CreditUse
from ..models.invoices import Invoice
from . import ledger, postings
from .books import Book
from .spending import Spendable

Status = CreditUse.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """
    Credit that is to be given. `source` says what for: the same one a second time is the same credit.

    `paid_by` is the book that stands against it: given away, unless it was bought or is instead of a refund.
    """

    kind: Credit.Kind
    amount_minor: int
    currency: str
    source: str
    expires_at: datetime | None = None
    paid_by: Book | None = None
    coupon_code: str | None = None


def grant(account_id: str, wanted: Grant, *, actor: str, reason: str = "", now: datetime) -> Credit:
    """Give an account credit and return it; what was given under this source already is returned as it is."""
    assert holds_lock(account_id)
    known = Credit.objects.filter(source=wanted.source).first()
    if known is not None:
        return known
    credit = Credit.objects.create(
        account_id=account_id,
        kind=wanted.kind,
        amount_minor=wanted.amount_minor,
        remaining_minor=wanted.amount_minor,
        currency=wanted.currency,
        source=wanted.source,
        expires_at=wanted.expires_at,
        coupon_id=wanted.coupon_code,
        actor=actor,
        reason=reason,
        granted_at=now,
    )
    if wanted.expires_at is not None:
        CreditExpiry.objects.create(credit=credit, next_at=wanted.expires_at)
    against = wanted.paid_by or (Book.CASH_OUTSIDE if wanted.kind == Credit.Kind.PREPAID else Book.CREDIT_GIVEN)
    granted = postings.credit_granted(credit.pk, amount_minor=wanted.amount_minor, paid_by=against)
    ledger.post_of(account_id, [granted], currency=wanted.currency, at=now)
    journal.emit(fact_of("credit.granted", credit, wanted.amount_minor, actor=actor, reason=reason), at=now)
    return credit


def spendable(account_id: str, *, at: datetime) -> tuple[Spendable, ...]:
    """Return what of the account's credits may be spent at `at`. One statement."""
    return tuple(as_spendable(row) for row in left(at=at).filter(account=account_id))


def left(*, at: datetime) -> QuerySet[Credit]:
    """Return the credits of which something may be spent at `at`."""
    rows = Credit.objects.filter(ended_at__isnull=True, remaining_minor__gt=F("reserved_minor"))
    return rows.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at))


def as_spendable(row: Credit) -> Spendable:
    return Spendable(row.pk, row.remaining_minor - row.reserved_minor, row.currency, row.expires_at, row.granted_at)


def reserve(
    account_id: str,
    parts: Iterable[tuple[str, int]],
    *,
    workflow_id: str | None = None,
    invoice: Invoice | None = None,
    now: datetime,
) -> None:
    """
    Keep these parts of credits (id, minor units) for a change or a draft; the caller journals what they are for.

    Under the lock under which they were found to be there. Two statements each.
    """
    assert holds_lock(account_id)
    for credit_id, part_minor in parts:
        Credit.objects.filter(pk=credit_id, account=account_id).update(reserved_minor=F("reserved_minor") + part_minor)
        CreditUse.objects.create(
            credit_id=credit_id,
            account_id=account_id,
            workflow_id=workflow_id,
            invoice=invoice,
            amount_minor=part_minor,
            status=Status.RESERVED,
            reserved_at=now,
        )


def use(invoice: Invoice, uses: Sequence[CreditUse], *, now: datetime) -> list[journal.Fact]:
    """Spend what was reserved on its invoice, post it, and return the facts for the caller to journal."""
    assert holds_lock(invoice.account_id)
    facts = []
    for part in uses:
        Credit.objects.filter(pk=part.credit_id).update(
            reserved_minor=F("reserved_minor") - part.amount_minor,
            remaining_minor=F("remaining_minor") - part.amount_minor,
        )
        CreditUse.objects.filter(pk=part.pk).update(status=Status.USED, invoice=invoice)
        facts.append(fact_of("credit.used", part.credit, part.amount_minor, cause=invoice.pk))
    used = [postings.credit_used(part.pk, amount_minor=part.amount_minor) for part in uses]
    ledger.post(invoice, used, at=now)
    return facts


def use_reserved(invoice: Invoice, planned: Sequence[tuple[str, int]], *, now: datetime) -> list[journal.Fact]:
    """Spend what its change had reserved on an invoice, if it planned any; return the facts to journal."""
    return use(invoice, reserved_for(workflow_id=invoice.workflow_id or ""), now=now) if planned else []


def free(account_id: str, uses: Sequence[CreditUse], *, now: datetime) -> list[journal.Fact]:
    """Let go of what was reserved, and return the facts to journal. What expired meanwhile ends with that."""
    assert holds_lock(account_id)
    facts = []
    for part in uses:
        CreditUse.objects.filter(pk=part.pk).update(status=Status.FREED)
        facts.append(fact_of("credit.freed", part.credit, part.amount_minor, cause=part.workflow_id or ""))
        credit = Credit.objects.get(pk=part.credit_id)
        if credit.ended_at is None:
            Credit.objects.filter(pk=credit.pk).update(reserved_minor=F("reserved_minor") - part.amount_minor)
            continue
        ended = _end(
            credit, part.amount_minor, "credit.expired", part=part.pk, was_reserved=True, actor="system:billing", at=now
        )
        facts.append(ended)
    return facts


def free_reserved(account_id: str, *, workflow_id: str, now: datetime) -> None:
    """Let go of all that is reserved for a change, and journal it."""
    facts = free(account_id, reserved_for(workflow_id=workflow_id), now=now)
    if facts:
        journal.emit(*facts, at=now)


def reserved_for(*, workflow_id: str = "", invoice_id: str = "") -> list[CreditUse]:
    """Return what is reserved for a change, or for a draft. One statement."""
    of = Q(workflow=workflow_id) if workflow_id else Q(invoice=invoice_id)
    return list(CreditUse.objects.filter(of, status=Status.RESERVED).select_related("credit").order_by("pk"))


def used_minor(invoice: Invoice) -> int:
    """Return how much credit paid for an invoice, in minor units. One statement."""
    used = CreditUse.objects.filter(invoice=invoice, status=Status.USED).aggregate(minor=Sum("amount_minor"))
    return int(used["minor"] or 0)


def give_back(invoice: Invoice, amount_minor: int, *, source: str, actor: str, now: datetime) -> None:
    """
    Give `amount_minor` of what is due to the customer to the credits that an invoice used, the last used first.

    A credit that has ended meanwhile takes nothing back: what is left over is goodwill. Once for each `source`.
    """
    assert holds_lock(invoice.account_id)
    left_minor = amount_minor
    used = CreditUse.objects.filter(invoice=invoice, status=Status.USED, credit__ended_at__isnull=True)
    for part in used.select_related("credit").order_by("-reserved_at", "-pk"):
        back_minor = min(left_minor, part.amount_minor - part.given_back_minor)
        if back_minor <= 0:
            continue
        left_minor -= back_minor
        Credit.objects.filter(pk=part.credit_id).update(remaining_minor=F("remaining_minor") + back_minor)
        CreditUse.objects.filter(pk=part.pk).update(given_back_minor=F("given_back_minor") + back_minor)
        ledger.post(invoice, [postings.credit_given_back(part.pk, source=source, amount_minor=back_minor)], at=now)
        journal.emit(fact_of("credit.given_back", part.credit, back_minor, actor=actor, cause=source), at=now)
    if left_minor:
        wanted = Grant(
            kind=Credit.Kind.GOODWILL,
            amount_minor=left_minor,
            currency=invoice.currency,
            source=source,
            paid_by=Book.REFUND_DUE,
        )
        grant(invoice.account_id, wanted, actor=actor, now=now)


def give_back_all(invoice: Invoice, *, now: datetime) -> None:
    """Give back all credit that an invoice used, because it is void. Safe to repeat: nothing is left to give then."""
    used = CreditUse.objects.filter(invoice=invoice, status=Status.USED)
    left_minor = used.aggregate(minor=Sum(F("amount_minor") - F("given_back_minor")))["minor"] or 0
    give_back(invoice, left_minor, source=f"voided:{invoice.pk}", actor="system:billing", now=now)


def take_back(credit_id: str, *, actor: str, reason: str = "", now: datetime) -> int:
    """Take a credit back as far as it is neither used nor reserved; return how much that was, in minor units."""
    account_id = Credit.objects.values_list("account_id", flat=True).get(pk=credit_id)
    with account_lock(account_id):
        credit = Credit.objects.get(pk=credit_id)
        if credit.ended_at is not None:
            return 0
        unused_minor = credit.remaining_minor - credit.reserved_minor
        journal.emit(
            _end(credit, unused_minor, "credit.taken_back", part="taken_back", actor=actor, reason=reason, at=now),
            at=now,
        )
        CreditExpiry.objects.filter(credit=credit).delete()
    return unused_minor


def expire_due(*, now: datetime, limit: int = 100) -> int:
    """End up to `limit` credits that have expired, and return how many were looked at."""

    def act(row: CreditExpiry) -> None:
        credit = Credit.objects.get(pk=row.pk)
        with account_lock(credit.account_id), finishing(row):
            credit.refresh_from_db()
            unused_minor = credit.remaining_minor - credit.reserved_minor
            if credit.ended_at is None:
                fact = _end(credit, unused_minor, "credit.expired", part="expired", actor="system:billing", at=now)
                journal.emit(fact, at=now)

    return sweep(claim(CreditExpiry, now=now, limit=limit), act, now=now)


def _end(
    credit: Credit,
    amount_minor: int,
    kind: str,
    *,
    part: str,
    was_reserved: bool = False,
    actor: str,
    reason: str = "",
    at: datetime,
) -> journal.Fact:
    """Write and post that so much of a credit is gone unused; what is reserved of it may still be used."""
    Credit.objects.filter(pk=credit.pk).update(
        remaining_minor=F("remaining_minor") - amount_minor,
        reserved_minor=F("reserved_minor") - (amount_minor if was_reserved else 0),
        ended_at=credit.ended_at or at,
    )
    ended = postings.credit_ended(credit.pk, part=part, amount_minor=amount_minor)
    ledger.post_of(credit.account_id, [ended], currency=credit.currency, at=at)
    return fact_of(kind, credit, amount_minor, actor=actor, reason=reason)


def fact_of(
    kind: str, credit: Credit, amount_minor: int, *, actor: str = "system:billing", reason: str = "", cause: str = ""
) -> journal.Fact:
    """Return what is told of a credit: how much of it was granted, used, freed or lost."""
    after = {
        "credit_id": credit.pk,
        "kind": credit.kind,
        "amount_minor": amount_minor,
        "currency": credit.currency,
    }
    return journal.Fact(kind, credit.account_id, actor, reason=reason, cause=cause, after=after)
