"""What leaves the database after a decision, as rows: asked for by `dunning/apply.py`, carried out after its commit."""

from django.db import models

from accounts.models import Account, Lease, new_id
from billing.models.invoices import BillingSchedule, Invoice
from billing.models.reversals import CreditNote

from ..consequence_kinds import KINDS, Consequence
from .conclusions import DunningDecision


class DunningAction(Lease):
    """
    One consequence that is carried out after its decision's commit, at least once, with a key made from this row's id.

    `rank` is its kind's: it waits until each action of the same decision with a lower rank has ended (done or refused).
    `identity` says what it is about, once per account and kind; a decision that is repeated writes no second row.
    What each kind holds:

    - credit_note: `invoice`, and `credit_note`, which is asked for and has no act yet. Identity: the invoice.
    - mark_uncollectible: `invoice`. Identity: the invoice.
    - mirror: nothing; what is copied is read when it is carried out, so the last one is right. Identity: the decision.
    - cancel_items: `schedule`, a clock at Stripe that bills less, or nothing. Identity: schedule and decision.
    - notify: `invoice` (of RESTORED the latest that had become bad), and in `facts`: `told` (a word of `Told`),
      `level`, `invoice_ids` and `currency`, of BAD_DEBT `ended` too: the subscription ids that were cancelled.
      Identity: told, invoice, level.

    `next_at` is when it is due; `refused_code`: it will never be done, and why.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="dunning_actions")
    decision = models.ForeignKey(DunningDecision, on_delete=models.PROTECT, related_name="actions")
    kind = models.CharField(
        max_length=20, choices=[(kind.value, kind.value) for kind, row in KINDS.items() if row.is_outside]
    )
    rank = models.PositiveSmallIntegerField()
    identity = models.CharField(max_length=120)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    schedule = models.ForeignKey(BillingSchedule, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    facts = models.JSONField(default=dict)
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    refused_code = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "dunning_action"
        constraints = [
            models.UniqueConstraint(fields=["account", "kind", "identity"], name="dunning_action_is_asked_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind, row in KINDS.items() if row.is_outside]),
                name="dunning_action_kind_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(done_at__isnull=True), name="dunning_action_due"),
            models.Index(fields=["decision", "rank"], name="dunning_action_of_decision"),
            models.Index(fields=["kind", "done_at"], name="dunning_action_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.identity}"


class DunningBrake(models.Model):
    """
    How fast one kind of consequence may run. No row: no brake. Written by `dunning/brakes.py`.

    `limit_per_hour`: of RESTRICT, accounts; of the others, actions; None: no limit.
    """

    kind = models.CharField(primary_key=True, max_length=20, choices=[(k.value, k.value) for k in Consequence])
    is_stopped = models.BooleanField(default=False, help_text="the kill switch")
    limit_per_hour = models.PositiveIntegerField(null=True, blank=True)
    actor = models.CharField(max_length=160)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "dunning_brake"

    def __str__(self) -> str:
        return f"{self.kind}: {'stopped' if self.is_stopped else self.limit_per_hour or 'free'}"


class ProcessorOutage(models.Model):
    """
    A time in which a processor did not answer, `[started_at, ended_at)`. Written by `dunning/brakes.py`.

    It ages nobody. `ended_at` None: it lasts, and nobody is charged or given up meanwhile.
    """

    processor = models.CharField(max_length=12)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    actor = models.CharField(max_length=160, help_text="who noticed: the system or an agent")

    class Meta:
        db_table = "processor_outage"
        constraints = [
            models.UniqueConstraint(
                fields=["processor"],
                condition=models.Q(ended_at__isnull=True),
                name="processor_outage_is_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("started_at")),
                name="processor_outage_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["started_at"], name="processor_outage_started")]

    def __str__(self) -> str:
        return f"{self.processor} from {self.started_at:%Y-%m-%d %H:%M}"


class DunningRollout(models.Model):
    """
    For how many accounts the brain acts. One row, `id` 1; none: for all. Written by `dunning/rollout.py`.

    `percent` of all accounts, always the same ones, by their id. For the others, and for all with `is_observe_only`, it
    decides and keeps the decision, and writes no store.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    percent = models.PositiveSmallIntegerField(default=100)
    is_observe_only = models.BooleanField(default=False)
    actor = models.CharField(max_length=160)
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "dunning_rollout"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="dunning_rollout_is_one_row"),
            models.CheckConstraint(condition=models.Q(percent__lte=100), name="dunning_rollout_is_a_percentage"),
        ]

    def __str__(self) -> str:
        return f"{self.percent} %{', observe only' if self.is_observe_only else ''}"
