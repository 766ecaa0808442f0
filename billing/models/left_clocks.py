"""Clocks that something has left for another clock, until Stripe's items have followed."""

from django.db import models

from accounts.models import Lease

from .invoices import BillingSchedule


class LeftClock(Lease):
    """
    A clock at Stripe that still bills what the account has on another by now. Deleted once Stripe has followed.

    Written by `changes_calculator/left_clocks.py`.
    """

    schedule = models.OneToOneField(BillingSchedule, on_delete=models.PROTECT, primary_key=True, related_name="left")
    left_at = models.DateTimeField(null=True, help_text="when; a period that began later bills nothing of what left")

    class Meta:
        db_table = "billing_schedule_left"
        verbose_name_plural = "left clocks"
        indexes = [models.Index(fields=["next_at"], name="billing_schedule_left_next")]

    def __str__(self) -> str:
        return f"{self.schedule_id} left"
