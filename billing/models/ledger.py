"""The double-entry ledger: append-only, and every transaction sums to zero (triggers see to both)."""

from django.db import models
from django.db.models import Q

from accounts.models import Account, new_id

from ..invoicing.books import BOOKS, FACTS, Book, FactKind
from .invoices import Invoice


class LedgerTransaction(models.Model):
    """
    One financial fact. `source` names it, so posting it twice is refused. Written by `invoicing/ledger.py`.

    Never edited: a correction is another transaction, which names the first in `corrects`.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="ledger_transactions")
    kind = models.CharField(max_length=24, choices=[(kind.value, FACTS[kind].words) for kind in FactKind])
    source = models.CharField(max_length=120, unique=True, help_text="kind and id of the fact")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="ledger_transactions")
    corrects = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="corrections")
    posted_at = models.DateTimeField(help_text="business time of the fact")

    class Meta:
        db_table = "ledger_transaction"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="corrected", corrects__isnull=False)
                | (~Q(kind="corrected") & Q(corrects__isnull=True)),
                name="ledger_correction_names_what_it_corrects",
            )
        ]
        indexes = [
            models.Index(fields=["account", "-posted_at"], name="ledger_transaction_of_account"),
            models.Index(fields=["-posted_at"], name="ledger_transaction_newest"),
            # The everyday facts are found fast among the newest; the others would be looked for through all of them.
            models.Index(
                fields=["kind", "-posted_at"],
                condition=~Q(kind__in=["finalized", "paid", "credit_used"]),
                name="ledger_transaction_rare",
            ),
        ]

    def __str__(self) -> str:
        return self.source


class LedgerEntry(models.Model):
    """One side of a transaction; debits are positive, credits negative."""

    id = models.BigAutoField(primary_key=True)
    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="ledger_entries")
    book = models.CharField(max_length=24, choices=[(book.value, BOOKS[book]) for book in Book])
    amount_minor = models.BigIntegerField(help_text="debit > 0, credit < 0")
    currency = models.CharField(max_length=3)

    class Meta:
        db_table = "ledger_entry"
        verbose_name_plural = "ledger entries"
        constraints = [models.CheckConstraint(condition=~Q(amount_minor=0), name="ledger_entry_is_not_zero")]
        indexes = [models.Index(fields=["account", "book", "currency"], name="ledger_entry_balance")]

    def __str__(self) -> str:
        return f"{self.book} {self.amount_minor} {self.currency}"
