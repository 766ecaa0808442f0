"""How accounts pay. Written by `payments/methods.py`; no card number is ever here."""

from django.db import models
from django.db.models import Q

from accounts.models import Account, new_id


class PaymentMethod(models.Model):
    """A stored card or wallet at a processor."""

    class Processor(models.TextChoices):
        STRIPE = "stripe"
        BRAINTREE = "braintree"

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payment_methods")
    processor = models.CharField(max_length=12, choices=Processor.choices)
    processor_id = models.CharField(max_length=120, help_text="pm_… at Stripe, the vault token at Braintree")
    kind = models.CharField(max_length=24, help_text="card, link, paypal …")
    brand = models.CharField(max_length=24, blank=True)
    last4 = models.CharField(max_length=4, blank=True, db_index=True)
    expiry_month = models.PositiveSmallIntegerField(null=True, blank=True)
    expiry_year = models.PositiveSmallIntegerField(null=True, blank=True)
    is_default = models.BooleanField(default=False)
    is_usable = models.BooleanField(default=True)
    unusable_why = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(
        null=True, blank=True, help_text="when its details last changed: what was declined may go through since"
    )
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "payment_method"
        constraints = [
            models.UniqueConstraint(fields=["processor", "processor_id"], name="payment_method_is_stored_once"),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(is_default=True, deleted_at__isnull=True),
                name="payment_method_has_one_default",
            ),
            models.CheckConstraint(
                condition=Q(is_usable=True, unusable_why="") | (Q(is_usable=False) & ~Q(unusable_why="")),
                name="payment_method_says_why_unusable",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.brand or self.kind} …{self.last4}"
