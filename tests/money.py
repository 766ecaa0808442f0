"""What must hold of an account's money at the end of any story, and all of it as rows to compare."""

from collections import Counter
from typing import Any

from django.db import connection
from django.db.models import Sum

from accounts.models import Account, JournalEntry
from billing.invoicing.books import Book
from billing.invoicing.check_ledger import check_ledger
from billing.invoicing.ledger import balance_minor
from billing.models.credits import Credit
from billing.models.invoices import Invoice
from billing.models.ledger import LedgerEntry
from billing.models.reversals import Charge, Refund

# Everything that is money, each with how its rows are found by account. What leases write is no part of it.
TABLES = {
    **dict.fromkeys(("billing_schedule", "charge", "credit", "credit_note", "credit_use", "dispute", "entitlement", "invoice", "invoice_act", "ledger_entry", "ledger_transaction", "payment_attempt", "refund", "subs_object_products_element"), "account_id = %s"),
    "invoice_line": "invoice_id IN (SELECT id FROM invoice WHERE account_id = %s)",
    "credit_note_line": "credit_note_id IN (SELECT id FROM credit_note WHERE account_id = %s)",
}  # fmt: skip
LEASES = ("next_at", "attempts", "lease_token", "lease_until", "lease_backend")


def nothing_differs(account: Account) -> bool:
    """Return True when no check of the ledger finds anything about this account; fails with what it found."""
    found = [finding for _, findings in check_ledger() for finding in findings if finding.account_id == account.pk]
    assert found == []
    return True


def holds(account: Account) -> None:
    """
    Assert what is always true of money, counted anew from the rows: each transaction sums to zero, the balance is what
    is open or given up less the credits that are left, nothing is given back beyond what was paid, an invoice is the
    sum of its lines.
    """
    of = {"account": account}
    sums = LedgerEntry.objects.filter(**of).values("transaction", "currency").annotate(minor=Sum("amount_minor"))
    assert {row["minor"] for row in sums} <= {0}
    for currency in {"usd", *(row["currency"] for row in sums)}:
        owed = Invoice.objects.filter(**of, currency=currency, status__in=["open", "uncollectible"])
        credits_left = Credit.objects.filter(**of, currency=currency).values_list("remaining_minor", flat=True)
        balance = balance_minor(account.pk, Book.RECEIVABLE, currency=currency)
        balance += balance_minor(account.pk, Book.CUSTOMER_CREDIT, currency=currency)
        assert balance == sum(invoice.remaining_minor for invoice in owed) - sum(credits_left)
    for charge in Charge.objects.filter(**of):
        back = Refund.objects.filter(charge=charge, status__in=["asked", "pending", "succeeded"])
        assert sum(back.values_list("amount_minor", flat=True)) == charge.refunded_minor <= charge.amount_minor
    for invoice in Invoice.objects.filter(**of, finalized_at__isnull=False):
        lines = sum(invoice.lines.values_list("amount_minor", flat=True))
        assert invoice.total_minor == lines + invoice.tax_minor, (
            f"{invoice} is {invoice.total_minor}, its lines {lines}"
        )
    assert nothing_differs(account)


def money_of(account: Account) -> dict[str, Any]:
    """Return every row of this account's money, and how often each kind of fact about it stands in the journal."""
    rows: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for table, which in TABLES.items():
            rows_of = f"SELECT to_jsonb(each) - %s::text[] FROM {table} each WHERE {which}"  # noqa: S608  named above
            cursor.execute(rows_of, [list(LEASES), account.pk])
            rows[table] = sorted((row for (row,) in cursor.fetchall()), key=repr)
    entries = JournalEntry.objects.filter(account=account).exclude(kind__startswith="stripe.event")
    rows["journal"] = Counter(entries.values_list("kind", flat=True))
    return rows
