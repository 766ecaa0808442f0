"""A change of subscriptions on its way: what was asked, what was planned, how far it came."""

from django.db import models
from django.db.models import Q

from accounts.models import Account, Lease, is_hex_id, new_id

from ..changes_calculator.steps import Step


class ChangeWorkflow(Lease):
    """
    One run through the pipeline; it survives crashes because each step is a committed row.

    Nothing of the change is visible elsewhere before COMMITTED. `next_at` is when the resume sweep looks again;
    it is leased by the thread that runs it. Written by `sync_save.py` and `resume.py`.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="workflows")
    step = models.CharField(max_length=20, choices=[(step.value, step.value) for step in Step])
    origin = models.CharField(max_length=16, help_text="the door it came through")
    actor = models.CharField(max_length=160)
    request = models.JSONField(help_text="what was asked for")
    request_digest = models.CharField(max_length=64, help_text="two requests for the same state have the same digest")
    plan = models.JSONField(help_text="the ChangeSet, with the exact parameters of every call")
    stripe_customer_id = models.CharField(max_length=64, blank=True)
    stripe_subscription = models.JSONField(null=True, blank=True, help_text="ids and periods that Stripe answered")
    stripe_invoice_id = models.CharField(max_length=64, blank=True, db_index=True)
    stripe_payment_intent_id = models.CharField(max_length=64, blank=True, db_index=True)
    stripe_setup_intent_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    client_secret = models.CharField(max_length=255, blank=True, help_text="given to the payer; emptied at the end")
    payment_tries = models.PositiveSmallIntegerField(default=0, help_text="n of the key wf_<id>_pay_<n>")
    refusal_code = models.CharField(max_length=64, blank=True)
    refusal_message = models.CharField(max_length=400, blank=True)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True, help_text="when Stripe gives the payment up")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "change_workflow"
        constraints = [
            models.CheckConstraint(condition=is_hex_id("id"), name="change_workflow_id_is_hex"),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, step__in=Step.unfinished())
                | Q(finished_at__isnull=False, step__in=Step.finished(), client_secret=""),
                name="change_workflow_finishes_at_a_final_step",
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(finished_at__isnull=True), name="change_workflow_unfinished"),
            models.Index(fields=["account", "requested_at"], name="change_workflow_of_account"),
            models.Index(fields=["-requested_at"], name="change_workflow_newest"),
            models.Index(
                fields=["finished_at"], condition=Q(step=Step.COMMITTED.value), name="change_workflow_committed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} at {self.step}"


class ChangeClaim(models.Model):
    """
    What an unfinished change holds so that no other may touch it: billable objects, and the account's Stripe clock.

    Rows go when the change ends; the unique constraint is what keeps two changes apart.
    """

    id = models.BigAutoField(primary_key=True)
    workflow = models.ForeignKey(ChangeWorkflow, on_delete=models.PROTECT, related_name="claims")
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    resource = models.CharField(max_length=48, help_text="object:<id> or clock:<interval>")

    class Meta:
        db_table = "change_claim"
        constraints = [models.UniqueConstraint(fields=["account", "resource"], name="change_claim_is_exclusive")]

    def __str__(self) -> str:
        return self.resource
