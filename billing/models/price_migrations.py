"""What became of a price change for those who subscribed before it, account by account."""

from django.db import models

from accounts.models import Account


class PriceMigration(models.Model):
    """
    One account that had a price which is no longer sold when a version of the catalogue was carried to subscribers.

    The rows are what makes that resumable. Written by `billing/migrate_prices.py`.
    """

    id = models.BigAutoField(primary_key=True)
    catalog_version = models.BigIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    scheduled = models.PositiveIntegerField(
        default=0, help_text="subscriptions that get today's price with their period"
    )
    refused = models.JSONField(default=dict, help_text="how many were refused, by code")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "price_migration"
        constraints = [
            models.UniqueConstraint(fields=["catalog_version", "account"], name="price_migration_is_one_per_account")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} to catalogue {self.catalog_version}"
