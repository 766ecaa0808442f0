"""Scheduled Service Level Change (SSLC): what becomes smaller, or ends, at the end of what was paid."""

from django.db import models
from django.db.models import Q

from accounts.models import Account, Lease, is_hex_id, new_id

from .invoices import BillingSchedule


class Sslc(Lease):
    """
    A downgrade or cancellation that waits for the period's end; it owns `value_phases[1]` of its OPEs.

    `next_at`: first when Stripe is told (6 h before the end), then when our own rows move on (the end). Written by
    `changes_calculator/{scheduled,apply_scheduled,reopen}.py`.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="scheduled_changes")
    schedule = models.ForeignKey(
        BillingSchedule,
        on_delete=models.PROTECT,
        related_name="scheduled_changes",
        null=True,
        blank=True,
        help_text="the clock that bills it; empty: nobody does, a trial ends",
    )
    ends_with = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # looked for among what waits in an account
        help_text="the end of the plan that it hangs on",
    )
    subscription_id = models.CharField(max_length=32, help_text="what the public API calls a subscription")
    ope_ids = models.JSONField(help_text="the OPEs that get smaller or end")
    actor = models.CharField(max_length=160)
    requested_at = models.DateTimeField()
    applies_at = models.DateTimeField(help_text="the end of the period")
    applied_at = models.DateTimeField(null=True, blank=True, help_text="when Stripe's items were changed")
    is_switch = models.BooleanField(
        default=False, db_default=False, help_text="what is next is billed by another clock: it is bought then"
    )
    is_telling = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Stripe is being told, or was and has not answered: nothing may begin",
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    taken_back_by = models.CharField(
        max_length=160, blank=True, default="", db_default="", help_text="who wants it back while Stripe is told so"
    )
    was_taken_back = models.BooleanField(default=False)

    class Meta:
        db_table = "subs_scheduled_service_level_change"
        verbose_name = "scheduled change"
        constraints = [
            models.CheckConstraint(condition=is_hex_id("id"), name="sslc_id_is_hex"),
            models.UniqueConstraint(
                fields=["account", "subscription_id"], condition=Q(ended_at__isnull=True), name="sslc_is_one_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["next_at"], condition=Q(ended_at__isnull=True), name="sslc_due")]

    def __str__(self) -> str:
        return f"{self.subscription_id} at {self.applies_at:%Y-%m-%d}"
