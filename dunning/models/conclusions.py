"""What the brain concluded, why, and when it looks again. Written by `dunning/apply.py` and `dunning/requests.py`."""

from django.db import models

from accounts.models import Account, Lease, new_id
from billing.models.invoices import Invoice

from ..facts import DunningStatus

_STATUSES = [(status.value, status.value) for status in DunningStatus]


class SubsDunning(models.Model):
    """What was decided last about an account; one row per account that ever owed. Written by `dunning/apply.py`."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="subs_dunning")
    status = models.CharField(max_length=16, choices=_STATUSES)
    because = models.CharField(max_length=80, help_text="the row of decide.py that matched")
    level = models.PositiveSmallIntegerField(default=0, help_text="0 clear … 5 last warning, 6 bad debt")
    retry_count = models.PositiveIntegerField(default=0, help_text="failed charges of the invoice tried most often")
    recompute_at = models.DateTimeField(null=True, blank=True, help_text="when time alone may change the answer")
    policy_version = models.PositiveIntegerField()
    inputs_digest = models.CharField(max_length=64, help_text="SHA-256 of the facts that it was decided by")
    cause = models.CharField(max_length=160, help_text="an event, a journal entry, an agent, or the sweep")
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "subs_dunning"
        verbose_name = "dunning status"
        verbose_name_plural = "dunning statuses"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in DunningStatus]),
                name="subs_dunning_status_is_known",
            ),
            models.CheckConstraint(condition=models.Q(level__lte=6), name="subs_dunning_level_is_known"),
        ]
        indexes = [models.Index(fields=["status", "-decided_at"], name="subs_dunning_by_status")]

    def __str__(self) -> str:
        return f"{self.status}: {self.because}"


class DunningDecision(models.Model):
    """
    One decision that changed something, or would have. Append-only; written by `dunning/apply.py`.

    `diff` has one sentence or record for each change, in order. `is_observed`: only looked at; nothing was written.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="dunning_decisions")
    status = models.CharField(max_length=16, blank=True, help_text="empty: hands off, what stands stays")
    because = models.CharField(max_length=80)
    level = models.PositiveSmallIntegerField(default=0)
    diff = models.JSONField(default=list)
    policy_version = models.PositiveIntegerField()
    inputs_digest = models.CharField(max_length=64)
    cause = models.CharField(max_length=160)
    is_observed = models.BooleanField(default=False)
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "dunning_decision"
        indexes = [models.Index(fields=["account", "-decided_at"], name="dunning_decision_of_account")]

    def __str__(self) -> str:
        return f"{self.because} ({self.status or 'hands off'})"


class BadInvoice(models.Model):
    """An invoice that was given up once; the row stays when it is paid. Written by `dunning/apply.py`."""

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, primary_key=True, related_name="gone_bad")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="bad_invoices")
    bad_since = models.DateTimeField()

    class Meta:
        db_table = "bad_invoice"

    def __str__(self) -> str:
        return f"{self.invoice_id} bad since {self.bad_since:%Y-%m-%d}"


class DunningDue(Lease):
    """
    An account that the brain looks at, now or when time alone may change the answer. One row per account.

    Deleted when it has looked; a request that came meanwhile stays. Written by `dunning/requests.py`.
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="dunning_due")
    cause = models.CharField(max_length=160)

    class Meta:
        db_table = "dunning_due"
        verbose_name_plural = "dunning due"
        indexes = [models.Index(fields=["next_at"], name="dunning_due_next")]

    def __str__(self) -> str:
        return f"{self.account_id} due"


class DunningNight(Lease):
    """How far the nightly look at everybody has come. One row, `id` 1. Written by `dunning/due.py`."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    after = models.CharField(max_length=32, blank=True, help_text="the last account that was looked at tonight")

    class Meta:
        db_table = "dunning_night"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="dunning_night_is_one_row")]

    def __str__(self) -> str:
        return f"after {self.after or 'nobody'}"
