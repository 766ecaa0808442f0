"""What accounts may use, as rows that product services read."""

from django.db import models
from django.db.models import Q

from accounts.models import Account

from .derive import Basis


class Allocation(models.TextChoices):
    """The form a feature's value takes, as in the public API."""

    BOOL = "bool"
    MAX_COUNT = "max_count"
    RANGE = "range"
    ENUM_NUMBER = "enum_number"
    STRING = "string"


class Entitlement(models.Model):
    """
    One feature that an account, or one of its zones, may use: a row means GRANTED.

    Written by `provision.py` alone. What is HELD waits in a change workflow and NONE has no row.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entitlements")
    zone_id = models.CharField(max_length=32, blank=True, help_text="empty: the whole account")
    feature = models.CharField(max_length=80)
    allocation = models.CharField(max_length=16, choices=Allocation.choices)
    value = models.JSONField()
    basis = models.CharField(max_length=16, choices=[(basis.value, basis.value) for basis in Basis])
    source_ope_id = models.CharField(max_length=32, db_index=True, help_text="the OPE that gives it")
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True, help_text="null: until something changes")
    version = models.BigIntegerField(help_text="the account's version at which this row was written")
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "entitlement"
        constraints = [
            models.UniqueConstraint(fields=["account", "zone_id", "feature"], name="entitlement_is_unique"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=models.F("valid_from")),
                name="entitlement_period_is_not_empty",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.feature} = {self.value}"


class EntitlementVersion(models.Model):
    """One counter per account, raised under its lock with every change, zones included."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True)
    version = models.BigIntegerField(default=0)

    class Meta:
        db_table = "entitlement_version"

    def __str__(self) -> str:
        return f"version {self.version} of {self.account_id}"
