"""The double-entry ledger: append-only, and every transaction sums to zero (triggers see to both)."""

from django.db import models
from django.db.models import Q

from accounts.models import Account, new_id

from .invoices import Invoice


class LedgerTransaction(models.Model):
    """One financial fact. `source` names it, so posting it twice is refused. Written by `invoicing/ledger.py`."""

    class Kind(models.TextChoices):
        FINALIZED = "finalized"
        PAID = "paid"
        VOIDED = "voided"

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="ledger_transactions")
    kind = models.CharField(max_length=24, choices=Kind.choices)
    source = models.CharField(max_length=120, unique=True, help_text="kind and id of the fact")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="ledger_transactions")
    posted_at = models.DateTimeField(help_text="business time of the fact")

    class Meta:
        db_table = "ledger_transaction"

    def __str__(self) -> str:
        return self.source


class LedgerEntry(models.Model):
    """One side of a transaction; debits are positive, credits negative."""

    class Book(models.TextChoices):
        RECEIVABLE = "receivable", "what customers owe"
        CASH_STRIPE = "cash_stripe", "what Stripe holds for us"
        REVENUE = "revenue", "what was sold"
        TAX_PAYABLE = "tax_payable", "what belongs to tax offices"

    id = models.BigAutoField(primary_key=True)
    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="ledger_entries")
    book = models.CharField(max_length=24, choices=Book.choices)
    amount_minor = models.BigIntegerField(help_text="debit > 0, credit < 0")
    currency = models.CharField(max_length=3)

    class Meta:
        db_table = "ledger_entry"
        verbose_name_plural = "ledger entries"
        constraints = [models.CheckConstraint(condition=~Q(amount_minor=0), name="ledger_entry_is_not_zero")]
        indexes = [models.Index(fields=["account", "book", "currency"], name="ledger_entry_balance")]

    def __str__(self) -> str:
        return f"{self.book} {self.amount_minor} {self.currency}"
