"""What can be bought, and at what price. Written by `billing/catalog/`; prices are never edited."""

from django.db import models
from django.db.models import Q

from entitlements.models import Allocation


class Interval(models.TextChoices):
    """How often something is billed; the public API says monthly and yearly."""

    MONTH = "month"
    YEAR = "year"


class ProductFamily(models.Model):
    id = models.CharField(primary_key=True, max_length=40)
    name = models.CharField(max_length=80)

    class Meta:
        db_table = "product_family"
        verbose_name_plural = "product families"

    def __str__(self) -> str:
        return self.name


class RatePlan(models.Model):
    """Something that can be subscribed to: a plan of a zone, or an add-on of a zone or an account."""

    class Scope(models.TextChoices):
        ZONE = "zone"
        ACCOUNT = "account"

    class Kind(models.TextChoices):
        ENUM = "enum", "a tier; an object has exactly one of its family"
        ADDON = "addon", "an addition; an object has it or not"

    id = models.CharField(primary_key=True, max_length=40)
    family = models.ForeignKey(ProductFamily, on_delete=models.PROTECT)
    public_name = models.CharField(max_length=80)
    public_keys = models.JSONField(default=list, help_text="other names that the public API knows it by")
    scope = models.CharField(max_length=8, choices=Scope.choices)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    rank = models.PositiveSmallIntegerField(null=True, help_text="among the tiers of its family; null for add-ons")
    is_contract = models.BooleanField(default=False)
    externally_managed = models.BooleanField(default=False)
    sets = models.JSONField(default=list)
    position = models.PositiveSmallIntegerField(help_text="order of display")

    class Meta:
        db_table = "rate_plan"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="enum", rank__isnull=False) | Q(kind="addon", rank__isnull=True),
                name="rate_plan_tier_has_a_rank",
            )
        ]

    def __str__(self) -> str:
        return self.public_name


class Component(models.Model):
    """A countable part of a plan: so many are included, more are bought by the unit."""

    id = models.BigAutoField(primary_key=True)
    rate_plan = models.ForeignKey(RatePlan, on_delete=models.PROTECT, related_name="components")
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=8, choices=[("sum", "sum"), ("enum", "enum")])
    included = models.PositiveIntegerField(help_text="how many the plan's price includes")
    price_series = models.CharField(max_length=80, blank=True, help_text="what more of it costs; empty: not sold")

    class Meta:
        db_table = "component"
        constraints = [models.UniqueConstraint(fields=["rate_plan", "name"], name="component_is_unique_in_its_plan")]

    def __str__(self) -> str:
        return f"{self.name} of {self.rate_plan_id}"


class Price(models.Model):
    """
    What one unit costs per interval. A price is never edited: a new amount is a new version with a new id.

    A series is what is priced: a plan by its id, or a component under a name that all plans with the same price share.
    """

    id = models.CharField(primary_key=True, max_length=80, help_text="e.g. pro_month_v1; Stripe's lookup_key")
    series = models.CharField(max_length=80)
    interval = models.CharField(max_length=8, choices=Interval.choices)
    currency = models.CharField(max_length=3, help_text="ISO code, lower case, as Stripe writes it")
    unit_amount_minor = models.BigIntegerField(help_text="minor units per unit and interval, ≥ 0")
    version = models.PositiveIntegerField()
    is_current = models.BooleanField(default=False, help_text="sold today; older versions stay for who has them")
    stripe_price_id = models.CharField(max_length=64, blank=True, help_text="written only by catalog/publish.py")

    class Meta:
        db_table = "price"
        constraints = [
            models.CheckConstraint(condition=Q(unit_amount_minor__gte=0), name="price_is_not_negative"),
            models.UniqueConstraint(
                fields=["series", "interval", "currency"],
                condition=Q(is_current=True),
                name="price_has_one_current_version",
            ),
            models.UniqueConstraint(
                fields=["series", "interval", "currency", "version"], name="price_version_is_unique"
            ),
        ]

    def __str__(self) -> str:
        return self.id


class PlanEntitlement(models.Model):
    """What a plan gives: one feature and its value."""

    id = models.BigAutoField(primary_key=True)
    rate_plan = models.ForeignKey(RatePlan, on_delete=models.PROTECT, related_name="entitlements")
    feature = models.CharField(max_length=80)
    feature_set = models.CharField(max_length=40)
    allocation = models.CharField(max_length=16, choices=Allocation.choices)
    value = models.JSONField()

    class Meta:
        db_table = "plan_entitlement"
        constraints = [models.UniqueConstraint(fields=["rate_plan", "feature"], name="plan_gives_a_feature_once")]

    def __str__(self) -> str:
        return f"{self.rate_plan_id}: {self.feature}"


class Meter(models.Model):
    """How use of one thing is counted, rated and rounded."""

    id = models.CharField(primary_key=True, max_length=60)
    rate_plan = models.ForeignKey(RatePlan, on_delete=models.PROTECT, null=True, related_name="meters")
    service_name = models.CharField(max_length=120)
    unit = models.CharField(max_length=40)
    aggregation = models.CharField(max_length=24)
    included = models.BigIntegerField()
    tiers = models.JSONField(help_text="[{up_to, unit_amount_minor (decimal, minor units), per}], ascending")
    rounding = models.CharField(max_length=24)

    class Meta:
        db_table = "meter"

    def __str__(self) -> str:
        return self.service_name


class CatalogVersion(models.Model):
    """One row per publication; the newest id tells a process whether what it holds in memory is still true."""

    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file's content")
    published_at = models.DateTimeField()

    class Meta:
        db_table = "catalog_version"

    def __str__(self) -> str:
        return f"catalogue {self.pk}"
