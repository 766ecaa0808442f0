"""What was billed and what was tried: invoices, their lines, billing schedules, payment attempts."""

from django.db import models
from django.db.models import F, Q

from accounts.models import Account, Lease, new_id

from ..invoicing.states import FinalizeReason, InvoiceStatus
from .catalog import Interval
from .changes import ChangeWorkflow
from .methods import PaymentMethod
from .objectproducts import Ope


class BillingSchedule(models.Model):
    """When an account is billed next, per interval. Written by `invoicing/clock.py`."""

    class Owner(models.TextChoices):
        STRIPE = "stripe"
        INTERNAL = "internal"

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="billing_schedules")
    interval = models.CharField(max_length=8, choices=Interval.choices)
    anchor_at = models.DateTimeField(help_text="unclamped: the 31st stays the 31st")
    next_at = models.DateTimeField(help_text="the end of the current period: when the next invoice is due")
    owner = models.CharField(max_length=12, choices=Owner.choices)
    stripe_subscription_id = models.CharField(max_length=64, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "billing_schedule"
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_subscription_id"],
                condition=~Q(stripe_subscription_id=""),
                name="billing_schedule_is_one_per_subscription",
            ),
        ]
        indexes = [models.Index(fields=["account", "interval"], name="billing_schedule_of_account")]

    def __str__(self) -> str:
        return f"each {self.interval} from {self.anchor_at:%Y-%m-%d}"


class BillingScheduleDue(Lease):
    """
    When somebody asks Stripe what became of a renewal that nobody told us of, if nobody does until then.

    Moved on with its schedule. Written by `invoicing/clock.py` and `invoicing/find_missed.py`.
    """

    schedule = models.OneToOneField(BillingSchedule, on_delete=models.PROTECT, primary_key=True, related_name="due")

    class Meta:
        db_table = "billing_schedule_due"
        verbose_name_plural = "billing schedules due"
        indexes = [models.Index(fields=["next_at"], name="billing_schedule_due_next")]

    def __str__(self) -> str:
        return f"{self.schedule_id} due"


# What is left to pay of an invoice that is open or uncollectible; as a property: `Invoice.remaining_minor`.
REMAINING = (
    F("total_minor")
    + F("carried_minor")
    - F("paid_minor")
    - F("paid_elsewhere_minor")
    - F("credited_minor")
    - F("written_off_minor")
)


class Invoice(models.Model):
    """
    What an account was asked to pay. Written by `invoicing/record.py`.

    Amounts are minor units: total = subtotal + tax. What is due is the total and what was carried here from earlier
    invoices (less what is carried on to the next); what is paid, credited and written off is never more than that.
    States and moves: `invoicing/states.py`.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="invoices")
    schedule = models.ForeignKey(BillingSchedule, on_delete=models.PROTECT, null=True, blank=True)
    workflow = models.OneToOneField(
        ChangeWorkflow, on_delete=models.PROTECT, null=True, blank=True, related_name="invoice"
    )
    number = models.CharField(max_length=64, blank=True, db_index=True, help_text="as printed; empty while a draft")
    stripe_invoice_id = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16, choices=[(status.value, status.value) for status in InvoiceStatus])
    reason = models.CharField(max_length=12, choices=[(reason.value, reason.value) for reason in FinalizeReason])
    currency = models.CharField(max_length=3)
    subtotal_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField()
    paid_minor = models.BigIntegerField(default=0, help_text="what Stripe collected for it")
    paid_elsewhere_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="what came by another way than Stripe's invoice"
    )
    credited_minor = models.BigIntegerField(default=0, db_default=0, help_text="what credit notes took off the debt")
    written_off_minor = models.BigIntegerField(default=0, db_default=0)
    carried_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="cents carried here; negative: on to the next invoice"
    )
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    created_at = models.DateTimeField()
    finalized_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    finalization_failed = models.CharField(max_length=64, blank=True, help_text="why it could not be finalised")
    collection_failed = models.CharField(max_length=64, blank=True, help_text="the code of the last failed charge")

    class Meta:
        db_table = "invoice"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in InvoiceStatus]), name="invoice_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(total_minor=F("subtotal_minor") + F("tax_minor")), name="invoice_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(
                    paid_minor__gte=0, paid_elsewhere_minor__gte=0, credited_minor__gte=0, written_off_minor__gte=0
                )
                & (
                    Q(paid_minor=0, paid_elsewhere_minor=0, credited_minor=0, written_off_minor=0)
                    | Q(
                        paid_minor__lte=F("total_minor")
                        + F("carried_minor")
                        - F("paid_elsewhere_minor")
                        - F("credited_minor")
                        - F("written_off_minor")
                    )
                ),
                name="invoice_is_not_oversettled",
            ),
            models.CheckConstraint(
                condition=Q(status="draft", finalized_at__isnull=True)
                | Q(status="void")
                | Q(status__in=["open", "paid", "uncollectible"], finalized_at__isnull=False),
                name="invoice_is_finalized_once_open",
            ),
            models.CheckConstraint(
                condition=Q(status="paid", paid_at__isnull=False) | (~Q(status="paid") & Q(paid_at__isnull=True)),
                name="invoice_paid_has_a_time",
            ),
            models.UniqueConstraint(
                fields=["stripe_invoice_id"], condition=~Q(stripe_invoice_id=""), name="invoice_is_mirrored_once"
            ),
            # A second biller of the same period finds the first one's invoice. Purchases and changes are kept apart
            # by their workflow instead: several may fall into one period.
            models.UniqueConstraint(
                fields=["account", "schedule", "period_start", "reason"],
                condition=Q(reason__in=["cycle", "threshold"]),
                name="invoice_is_one_per_period_and_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-created_at"], name="invoice_of_account"),
            models.Index(fields=["-created_at"], name="invoice_newest"),
        ]

    def __str__(self) -> str:
        return self.number or f"draft {self.pk}"

    @property
    def due_minor(self) -> int:
        """What it asks for in all: its total, with what was carried to it or on from it."""
        return self.total_minor + self.carried_minor

    @property
    def settled_minor(self) -> int:
        """What of that nobody has to pay any more."""
        return self.paid_minor + self.paid_elsewhere_minor + self.credited_minor + self.written_off_minor

    @property
    def remaining_minor(self) -> int:
        """What is left to pay; what is not finalised, or void, asks for nothing."""
        if self.status not in {InvoiceStatus.OPEN.value, InvoiceStatus.UNCOLLECTIBLE.value}:
            return 0
        return self.due_minor - self.settled_minor


class InvoiceDue(Lease):
    """An invoice that `invoicing/advance.py` is to take on: to finalise or to collect. Deleted when that is done."""

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, primary_key=True, related_name="due")

    class Meta:
        db_table = "invoice_due"
        verbose_name_plural = "invoices due"
        indexes = [models.Index(fields=["next_at"], name="invoice_due_next")]

    def __str__(self) -> str:
        return f"{self.invoice_id} due"


class InvoiceLine(models.Model):
    """One line of an invoice; the invoice's subtotal is the sum of its lines."""

    id = models.BigAutoField(primary_key=True)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    ope = models.ForeignKey(Ope, on_delete=models.PROTECT, null=True, blank=True, related_name="lines")
    stripe_line_id = models.CharField(max_length=64, blank=True)
    description = models.CharField(max_length=250)
    price_id = models.CharField(max_length=80, blank=True, help_text="the catalogue price; empty for corrections")
    quantity = models.BigIntegerField()
    unit_amount_minor = models.BigIntegerField()
    amount_minor = models.BigIntegerField(help_text="rounded half-up once; negative: a credit")
    in_advance = models.BooleanField(help_text="plans and add-ons; usage is billed in arrears")
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()

    class Meta:
        db_table = "invoice_line"

    def __str__(self) -> str:
        return self.description


class PaymentAttempt(models.Model):
    """One try to collect an invoice; at most one in flight. Written by `payments/attempts.py`."""

    class Source(models.TextChoices):
        OURS = "ours"
        STRIPE = "stripe", "made by Stripe when nobody took the invoice over"

    class Status(models.TextChoices):
        IN_FLIGHT = "in_flight"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        ACTION_REQUIRED = "action_required"
        UNKNOWN = "unknown"

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payment_attempts")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="attempts")
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, null=True, blank=True)
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.OURS)
    status = models.CharField(max_length=16, choices=Status.choices)
    on_session = models.BooleanField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    stripe_payment_intent_id = models.CharField(max_length=64, blank=True, db_index=True)
    code = models.CharField(max_length=64, blank=True, help_text="why it failed, the processor's word")
    advice_code = models.CharField(
        max_length=32, blank=True, default="", db_default="", help_text="what the card network advises"
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "payment_attempt"
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(status__in=["in_flight", "unknown"]),
                name="payment_attempt_is_one_in_flight",
            ),
            models.UniqueConstraint(
                fields=["invoice"], condition=Q(status="succeeded"), name="payment_attempt_succeeds_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="payment_attempt_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.status}: {self.amount_minor} {self.currency}"


class PaymentAttemptDue(Lease):
    """
    An attempt in flight, and when somebody looks up at the processor what became of it. Deleted when that is known.

    Written by `payments/attempts.py` and `payments/look_up.py`.
    """

    attempt = models.OneToOneField(PaymentAttempt, on_delete=models.PROTECT, primary_key=True, related_name="due")

    class Meta:
        db_table = "payment_attempt_due"
        verbose_name_plural = "payment attempts due"
        indexes = [models.Index(fields=["next_at"], name="payment_attempt_due_next")]

    def __str__(self) -> str:
        return f"{self.attempt_id} due"
