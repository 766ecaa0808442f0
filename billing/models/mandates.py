"""What customers authorised for later."""

from django.db import models

from accounts.models import Account

from .methods import PaymentMethod


class Mandate(models.Model):
    """
    A customer's authorisation to charge a method later. Written by `dunning/mandates.py`, read before a charge.

    A method without any is charged as it is; one whose newest mandate is not active is not charged.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        ACTIVE = "active"
        REVOKED = "revoked"
        EXPIRED = "expired"

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="mandates")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="mandates")
    processor_mandate_id = models.CharField(max_length=120, unique=True, help_text="mandate_… or seti_… at Stripe")
    status = models.CharField(max_length=8, choices=Status.choices)
    active_since = models.DateTimeField(null=True, blank=True, help_text="when it last became active")
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "subs_mandate"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="active", active_since__isnull=False) | ~models.Q(status="active"),
                name="subs_mandate_active_has_a_time",
            ),
        ]
        indexes = [models.Index(fields=["method", "-changed_at"], name="subs_mandate_of_method")]

    def __str__(self) -> str:
        return f"{self.processor_mandate_id}: {self.status}"
