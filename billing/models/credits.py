"""Credit that pays for invoices before money does: where it came from, what is left, what used it."""

from django.db import models
from django.db.models import F, Q

from accounts.models import Account, Lease, is_hex_id, new_id

from .changes import ChangeWorkflow
from .invoices import Invoice


class Coupon(models.Model):
    """A code that gives promotional credit, once per account. Written by `invoicing/coupons.py`."""

    code = models.CharField(primary_key=True, max_length=40, help_text="as the customer types it, in capitals")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    credit_days = models.PositiveIntegerField(null=True, blank=True, help_text="how long the credit lasts; empty: ever")
    redeemable_until = models.DateTimeField(null=True, blank=True)
    actor = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "coupon"
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="coupon_is_worth_something"),
            models.CheckConstraint(condition=Q(code__regex="^[A-Z0-9-]{4,40}$"), name="coupon_code_is_plain"),
        ]

    def __str__(self) -> str:
        return self.code


class Credit(models.Model):
    """
    An amount that an account may spend. Written by `invoicing/credits.py`.

    0 ≤ reserved ≤ remaining ≤ amount, minor units. What is reserved waits for a change or a draft to be paid; it is
    neither spent twice nor lost.
    """

    class Kind(models.TextChoices):
        PROMOTIONAL = "promotional"
        GOODWILL = "goodwill"
        PREPAID = "prepaid"
        FREE_TIER = "free_tier", "free tier"

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credits")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    amount_minor = models.BigIntegerField()
    remaining_minor = models.BigIntegerField()
    reserved_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="when it had expired or was taken back")
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, null=True, blank=True, related_name="credits")
    source = models.CharField(max_length=120, unique=True, help_text="what it is for: granting it twice is refused")
    actor = models.CharField(max_length=160)
    reason = models.CharField(max_length=400, blank=True)
    granted_at = models.DateTimeField()

    class Meta:
        db_table = "credit"
        constraints = [
            models.CheckConstraint(condition=is_hex_id("id"), name="credit_id_is_hex"),
            models.CheckConstraint(
                condition=Q(
                    amount_minor__gt=0,
                    reserved_minor__gte=0,
                    remaining_minor__gte=F("reserved_minor"),
                    remaining_minor__lte=F("amount_minor"),
                ),
                name="credit_is_never_overspent",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(remaining_minor=F("reserved_minor")),
                name="credit_that_ended_is_gone",
            ),
            models.UniqueConstraint(fields=["account", "coupon"], name="credit_of_a_coupon_is_once_per_account"),
        ]
        indexes = [
            models.Index(fields=["account", "expires_at"], name="credit_of_account"),
            models.Index(fields=["-granted_at"], name="credit_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.remaining_minor} of {self.amount_minor} {self.currency}"


class CreditExpiry(Lease):
    """When a credit expires. Deleted when that is done. Written by `invoicing/credits.py`."""

    credit = models.OneToOneField(Credit, on_delete=models.PROTECT, primary_key=True, related_name="expiry")

    class Meta:
        db_table = "credit_expiry"
        verbose_name_plural = "credit expiries"
        indexes = [models.Index(fields=["next_at"], name="credit_expiry_due")]

    def __str__(self) -> str:
        return f"{self.credit_id} expires"


class CreditUse(models.Model):
    """
    A part of a credit, reserved for a change or a draft, and then spent on its invoice or let go.

    Written by `invoicing/credits.py`.
    """

    class Status(models.TextChoices):
        RESERVED = "reserved"
        USED = "used"
        FREED = "freed"

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    credit = models.ForeignKey(Credit, on_delete=models.PROTECT, related_name="uses")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credit_uses")
    workflow = models.ForeignKey(
        ChangeWorkflow, on_delete=models.PROTECT, null=True, blank=True, related_name="credit_uses"
    )
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="credit_uses")
    amount_minor = models.BigIntegerField()
    given_back_minor = models.BigIntegerField(default=0, help_text="of what was used: gone back to the credit since")
    status = models.CharField(max_length=8, choices=Status.choices)
    reserved_at = models.DateTimeField()

    class Meta:
        db_table = "credit_use"
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, given_back_minor__gte=0, given_back_minor__lte=F("amount_minor")),
                name="credit_use_is_of_something",
            ),
            models.CheckConstraint(
                condition=Q(workflow__isnull=False) | Q(invoice__isnull=False), name="credit_use_is_for_something"
            ),
            models.CheckConstraint(
                condition=~Q(status="used") | Q(invoice__isnull=False), name="credit_is_used_on_an_invoice"
            ),
        ]
        indexes = [models.Index(fields=["invoice"], name="credit_use_of_invoice")]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.status}"
