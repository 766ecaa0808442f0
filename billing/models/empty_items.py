"""Items of Stripe subscriptions that bill nothing any more, until they are taken off."""

from django.db import models

from accounts.models import Lease

from .invoices import BillingSchedule


class EmptyItem(Lease):
    """
    An item at quantity 0. Its price can't be bought by another item while this one is there: Plan fills it again.

    `next_at` is when it is taken off. Written by `changes_calculator/tidy.py`.
    """

    id = models.BigAutoField(primary_key=True)
    schedule = models.ForeignKey(BillingSchedule, on_delete=models.PROTECT, related_name="empty_items")
    stripe_price_id = models.CharField(max_length=64)
    stripe_item_id = models.CharField(max_length=64)
    is_going = models.BooleanField(
        default=False, help_text="Stripe is being asked to take it off: nobody plans with it"
    )

    class Meta:
        db_table = "subscription_item_empty"
        constraints = [
            models.UniqueConstraint(fields=["schedule", "stripe_price_id"], name="empty_item_is_one_per_price"),
        ]
        indexes = [models.Index(fields=["next_at"], name="empty_item_due")]

    def __str__(self) -> str:
        return self.stripe_item_id
