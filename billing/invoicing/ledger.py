"""The only writer of the ledger: each financial fact is a transaction whose entries sum to zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Sum

from accounts.lock import holds_lock
from accounts.models import new_id

from ..models.invoices import Invoice
from ..models.ledger import LedgerEntry, LedgerTransaction

Book = LedgerEntry.Book
Kind = LedgerTransaction.Kind


@dataclass(frozen=True, slots=True)
class Posting:
    """One fact to post: amounts in minor units per book, debits positive; those of 0 are left out."""

    kind: LedgerTransaction.Kind
    source: str
    amounts: tuple[tuple[LedgerEntry.Book, int], ...]


# Transactions and entries in one statement: the trigger that adds up sees all entries of a transaction together.
_POST = """
WITH fact AS (
    INSERT INTO ledger_transaction (id, account_id, kind, source, invoice_id, posted_at)
    SELECT id, %s, kind, source, %s, %s FROM unnest(%s::text[], %s::text[], %s::text[]) AS fact(id, kind, source)
    ON CONFLICT (source) DO NOTHING
    RETURNING id
)
INSERT INTO ledger_entry (transaction_id, account_id, book, amount_minor, currency)
SELECT side.id, %s, side.book, side.amount_minor, %s
FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS side(id, book, amount_minor) JOIN fact USING (id)
"""


def finalized(invoice: Invoice) -> Posting:
    """Return what it means that an invoice was finalised: the customer owes it."""
    amounts = (
        (Book.RECEIVABLE, invoice.total_minor),
        (Book.REVENUE, -invoice.subtotal_minor),
        (Book.TAX_PAYABLE, -invoice.tax_minor),
    )
    return Posting(Kind.FINALIZED, f"finalized:{invoice.pk}", amounts)


def paid(invoice: Invoice) -> Posting:
    """Return what it means that Stripe collected an invoice: it owes us what the customer owed."""
    amounts = ((Book.CASH_STRIPE, invoice.paid_minor), (Book.RECEIVABLE, -invoice.paid_minor))
    return Posting(Kind.PAID, f"paid:{invoice.pk}", amounts)


def voided(invoice: Invoice) -> Posting:
    """Return what it means that a finalised invoice was voided: nobody owes it any more."""
    amounts = tuple((book, -amount_minor) for book, amount_minor in finalized(invoice).amounts)
    return Posting(Kind.VOIDED, f"voided:{invoice.pk}", amounts)


def post(invoice: Invoice, postings: Sequence[Posting], *, at: datetime) -> None:
    """
    Post facts about one invoice, in the transaction of the fact itself. One statement.

    A fact that was posted before (same `source`) is left as it is, so repeating is safe.
    """
    assert holds_lock(invoice.account_id)
    ids = [new_id() for _ in postings]
    sides = [
        (pk, book.value, amount_minor)
        for pk, posting in zip(ids, postings, strict=True)
        for book, amount_minor in posting.amounts
        if amount_minor
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _POST,
            [
                invoice.account_id,
                invoice.pk,
                at,
                ids,
                [posting.kind.value for posting in postings],
                [posting.source for posting in postings],
                invoice.account_id,
                invoice.currency,
                [pk for pk, _, _ in sides],
                [book for _, book, _ in sides],
                [amount_minor for _, _, amount_minor in sides],
            ],
        )


def balance_minor(account_id: str, book: LedgerEntry.Book, *, currency: str) -> int:
    """Return what stands in one book of an account, in minor units; debits are positive."""
    entries = LedgerEntry.objects.filter(account=account_id, book=book, currency=currency)
    return entries.aggregate(total=Sum("amount_minor"))["total"] or 0
