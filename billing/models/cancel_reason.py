"""Why customers leave: their own words."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Account, is_hex_id, new_id


class CancelReason(models.Model):
    """What a customer said about ending a subscription; nothing acts on it. Written by `billing/cancel_reasons.py`."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="cancel_reasons")
    subscription_id = models.CharField(max_length=32, help_text="what the public API calls a subscription")
    reasons = ArrayField(models.CharField(max_length=80), help_text="codes, as the customer's client names them")
    comment = models.CharField(max_length=2000, blank=True)
    actor = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "cancel_reason"
        constraints = [models.CheckConstraint(condition=is_hex_id("id"), name="cancel_reason_id_is_hex")]
        indexes = [
            models.Index(fields=["account", "subscription_id", "-created_at"], name="cancel_reason_of_subscription")
        ]

    def __str__(self) -> str:
        return ", ".join(self.reasons) or self.comment[:80]
