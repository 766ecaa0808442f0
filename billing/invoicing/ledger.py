"""The only writer of the ledger: each financial fact is a transaction whose entries sum to zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import connection
from django.db.models import Sum

from accounts import journal
from accounts.lock import account_lock, holds_lock
from accounts.models import new_id

from ..models.invoices import Invoice
from ..models.ledger import LedgerEntry, LedgerTransaction
from .books import BALANCE, Book, FactKind
from .postings import Posting, corrected

# Transactions and entries in one statement: the trigger that adds up sees all entries of a transaction together.
_POST = """
WITH fact AS (
    INSERT INTO ledger_transaction (id, account_id, kind, source, corrects_id, invoice_id, posted_at)
    SELECT id, account_id, kind, source, nullif(corrects, ''), nullif(invoice_id, ''), %s
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
        AS fact(id, account_id, kind, source, corrects, invoice_id)
    ON CONFLICT (source) DO NOTHING
    RETURNING id, account_id
)
INSERT INTO ledger_entry (transaction_id, account_id, book, amount_minor, currency)
SELECT side.id, fact.account_id, side.book, side.amount_minor, side.currency
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[]) AS side(id, book, amount_minor, currency)
JOIN fact USING (id)
"""


class Finalized(Protocol):
    """An invoice that was made final, as far as the ledger needs to know it."""

    @property
    def id(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def total_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...


def post(invoice: Invoice, postings: Sequence[Posting], *, at: datetime) -> None:
    """
    Post facts about one invoice, in the transaction of the fact itself. One statement.

    A fact that was posted before (same `source`) is left as it is, so repeating is safe.
    """
    post_of(invoice.account_id, postings, currency=invoice.currency, invoice_id=invoice.pk, at=at)


def post_of(
    account_id: str, postings: Sequence[Posting], *, currency: str, invoice_id: str | None = None, at: datetime
) -> None:
    """Post facts about an account, of an invoice or of none; else as `post`."""
    _post([_Fact(account_id, invoice_id or "", currency, posting) for posting in postings], at=at)


def post_many(about: Sequence[tuple[Finalized, Posting]], *, at: datetime) -> None:
    """Post facts, each about an invoice of its own; else as `post`. One statement."""
    _post([_Fact(each.account_id, each.id, each.currency, posting) for each, posting in about], at=at)


@dataclass(frozen=True, slots=True)
class _Fact:
    account_id: str
    invoice_id: str
    currency: str
    posting: Posting


def _post(facts: Sequence[_Fact], *, at: datetime) -> None:
    moving = {new_id(): fact for fact in facts if any(amount for _, amount in fact.posting.amounts)}
    for fact in moving.values():
        assert holds_lock(fact.account_id)
    if not moving:
        return
    sides = [
        (pk, book.value, amount_minor, fact.currency)
        for pk, fact in moving.items()
        for book, amount_minor in fact.posting.amounts
        if amount_minor
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _POST,
            [
                at,
                list(moving),
                [fact.account_id for fact in moving.values()],
                [fact.posting.kind.value for fact in moving.values()],
                [fact.posting.source for fact in moving.values()],
                [fact.posting.corrects for fact in moving.values()],
                [fact.invoice_id for fact in moving.values()],
                *([side[column] for side in sides] for column in range(4)),
            ],
        )


def correct(
    transaction_id: str, amounts: Mapping[Book, int], *, key: str, actor: str, reason: str, now: datetime
) -> LedgerTransaction:
    """
    Post a correction of a transaction, in minor units per book, and return it; the first is never edited.

    `key` is the caller's: a correction that was posted under it before is returned as it is.

    :raises LedgerTransaction.DoesNotExist: there is nothing of this id to correct.
    :raises AssertionError: the amounts do not sum to zero, or move nothing.
    """
    first = LedgerTransaction.objects.get(pk=transaction_id)
    currency = first.entries.values_list("currency", flat=True)[0]
    posting = corrected(transaction_id, key=key, amounts=amounts)
    with account_lock(first.account_id):
        if (known := LedgerTransaction.objects.filter(source=posting.source).first()) is not None:
            return known
        post_of(first.account_id, [posting], currency=currency, invoice_id=first.invoice_id, at=now)
        correction = LedgerTransaction.objects.get(source=posting.source)
        after = {"transaction_id": correction.pk, "corrects": transaction_id, "source": first.source}
        journal.emit(journal.Fact("ledger.corrected", first.account_id, actor, reason=reason, after=after), at=now)
    return correction


# The same for many invoices of the internal clock; it carries no tax.
_POST_FINALIZED = """
WITH fact AS (
    INSERT INTO ledger_transaction (id, account_id, kind, source, invoice_id, posted_at)
    SELECT id, account_id, 'finalized', 'finalized:' || invoice_id, invoice_id, %s
    FROM unnest(%s::text[], %s::text[], %s::text[]) AS fact(id, account_id, invoice_id)
    ON CONFLICT (source) DO NOTHING
    RETURNING id, account_id
)
INSERT INTO ledger_entry (transaction_id, account_id, book, amount_minor, currency)
SELECT fact.id, fact.account_id, side.book, side.sign * owed.total_minor, owed.currency
FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS owed(id, total_minor, currency)
JOIN fact USING (id) CROSS JOIN (VALUES ('receivable', 1), ('revenue', -1)) AS side(book, sign)
"""


def post_finalized(invoices: Sequence[Finalized], *, at: datetime) -> None:
    """Post that many invoices without tax were finalised, in the transaction that makes them. One statement."""
    owed = [invoice for invoice in invoices if invoice.total_minor]
    for invoice in owed:
        assert holds_lock(invoice.account_id)
    if not owed:
        return
    ids = [new_id() for _ in owed]
    values: list[Any] = [
        at,
        ids,
        [invoice.account_id for invoice in owed],
        [invoice.id for invoice in owed],
        ids,
        [invoice.total_minor for invoice in owed],
        [invoice.currency for invoice in owed],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_POST_FINALIZED, values)


def balance_minor(account_id: str, book: Book, *, currency: str) -> int:
    """Return what stands in one book of an account, in minor units; debits are positive."""
    entries = LedgerEntry.objects.filter(account=account_id, book=book.value, currency=currency)
    return entries.aggregate(total=Sum("amount_minor"))["total"] or 0


def owed_minor(account_id: str, *, currency: str) -> int:
    """
    Return the account's balance: what it owes less the credit that it has left; below zero, it has more than it owes.
    """
    books = [book.value for book in BALANCE]
    entries = LedgerEntry.objects.filter(account=account_id, book__in=books, currency=currency)
    return entries.aggregate(total=Sum("amount_minor"))["total"] or 0


def standing(invoice: Invoice) -> dict[Book, int]:
    """Return what stands in each book for one invoice, apart from what it was paid; for taking it all back."""
    sums = (
        LedgerEntry.objects.filter(transaction__invoice=invoice)
        .exclude(transaction__kind__in=[FactKind.PAID.value, FactKind.PAID_ELSEWHERE.value, FactKind.VOIDED.value])
        .values_list("book")
        .annotate(total=Sum("amount_minor"))
    )
    return {Book(book): total for book, total in sums if total}


def paid_elsewhere_minor(invoice: Invoice) -> int:
    """Return what is in the books of payments of one invoice that came past Stripe's own collection."""
    entries = LedgerEntry.objects.filter(
        transaction__invoice=invoice, transaction__kind=FactKind.PAID_ELSEWHERE.value, book=Book.RECEIVABLE.value
    )
    return -(entries.aggregate(total=Sum("amount_minor"))["total"] or 0)
