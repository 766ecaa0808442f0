"""What we would have billed ourselves, beside what Stripe billed. Written by `invoicing/shadow.py`."""

from django.db import models

from .invoices import Invoice


class ShadowBill(models.Model):
    """The renewal that our own clock would have made for a period that Stripe bills, kept when Stripe's draft came."""

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, primary_key=True, related_name="shadow")
    lines = models.JSONField(help_text="[stripe_price_id, quantity, amount in minor units] for each price")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    compared_at = models.DateTimeField(null=True, blank=True)
    differences = models.JSONField(default=list, help_text="what differed, as sentences with codes; empty: nothing did")

    class Meta:
        db_table = "shadow_bill"
        indexes = [
            models.Index(fields=["invoice"], condition=models.Q(compared_at__isnull=True), name="shadow_bill_open")
        ]

    def __str__(self) -> str:
        return f"shadow of {self.invoice_id}"
