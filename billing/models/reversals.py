"""What makes an invoice smaller or gives money back: acts upon it, credit notes, refunds, disputes; and charges."""

from django.db import models
from django.db.models import F, Q

from accounts.models import Account, Lease, is_hex_id, new_id

from ..invoicing.states import ActKind
from .invoices import Invoice, InvoiceLine, PaymentAttempt


class CreditNote(models.Model):
    """
    A correction of a finalised invoice. Written by `invoicing/issue_credit_note.py`.

    Minor units: total = subtotal + tax = off_debt + to_method + to_credit: what it takes off what is owed, and what
    goes back of what was paid. `is_ours`: Stripe does not know of it, because it takes none on such an invoice.
    """

    class Status(models.TextChoices):
        ASKED = "asked"
        ISSUED = "issued"
        REFUSED = "refused"
        VOID = "void"

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credit_notes")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    stripe_credit_note_id = models.CharField(max_length=64, blank=True)
    number = models.CharField(max_length=64, blank=True, db_index=True)
    is_ours = models.BooleanField(default=False)
    status = models.CharField(max_length=8, choices=Status.choices)
    why = models.CharField(max_length=24, help_text="honest_debt, refund, goodwill, correction or stripe")
    currency = models.CharField(max_length=3)
    subtotal_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField()
    off_debt_minor = models.BigIntegerField(default=0)
    to_method_minor = models.BigIntegerField(default=0)
    to_credit_minor = models.BigIntegerField(default=0)
    memo = models.CharField(max_length=250, blank=True, help_text="what the customer reads")
    refusal_code = models.CharField(max_length=64, blank=True)
    actor = models.CharField(max_length=160)
    asked_at = models.DateTimeField()
    issued_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "credit_note"
        constraints = [
            models.CheckConstraint(condition=is_hex_id("id"), name="credit_note_id_is_hex"),
            models.CheckConstraint(
                condition=Q(
                    total_minor=F("subtotal_minor") + F("tax_minor"),
                    total_minor__gt=0,
                    tax_minor__gte=0,
                    off_debt_minor__gte=0,
                    to_method_minor__gte=0,
                    to_credit_minor__gte=0,
                )
                & Q(total_minor=F("off_debt_minor") + F("to_method_minor") + F("to_credit_minor")),
                name="credit_note_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["asked", "refused"], issued_at__isnull=True)
                | Q(status__in=["issued", "void"], issued_at__isnull=False),
                name="credit_note_issued_has_a_time",
            ),
            models.UniqueConstraint(
                fields=["stripe_credit_note_id"],
                condition=~Q(stripe_credit_note_id=""),
                name="credit_note_is_mirrored_once",
            ),
        ]
        indexes = [models.Index(fields=["account", "-asked_at"], name="credit_note_of_account")]

    def __str__(self) -> str:
        return self.number or f"credit note {self.pk[:8]}"


class CreditNoteLine(models.Model):
    """What a credit note takes off one line; before tax, minor units. Written by `invoicing/issue_credit_note.py`."""

    id = models.BigAutoField(primary_key=True)
    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="credited")
    amount_minor = models.BigIntegerField(help_text="of the line's sign: a negative line's is negative")

    class Meta:
        db_table = "credit_note_line"
        constraints = [
            models.UniqueConstraint(fields=["credit_note", "line"], name="credit_note_credits_a_line_once"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="credit_note_line_is_not_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} of line {self.line_id}"


class Charge(models.Model):
    """
    Money that a processor took for an invoice, and what of it went back. Written by `payments/charges.py`.

    Minor units; 0 ≤ refunded ≤ amount. A refund that fails later is not refunded.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="charges")
    attempt = models.OneToOneField(PaymentAttempt, on_delete=models.PROTECT, related_name="charge")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="charges")
    processor_payment_id = models.CharField(max_length=64, blank=True, help_text="pi_… at Stripe, a transaction else")
    processor_charge_id = models.CharField(max_length=64, blank=True, db_index=True, help_text="ch_…, once it is known")
    amount_minor = models.BigIntegerField()
    refunded_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    charged_at = models.DateTimeField()

    class Meta:
        db_table = "charge"
        constraints = [
            models.UniqueConstraint(
                fields=["processor_payment_id"], condition=~Q(processor_payment_id=""), name="charge_is_recorded_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, refunded_minor__gte=0, refunded_minor__lte=F("amount_minor")),
                name="charge_is_not_refunded_beyond",
            ),
        ]
        indexes = [models.Index(fields=["account", "-charged_at"], name="charge_of_account")]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency}"


class Refund(models.Model):
    """
    Money on its way back to how it was paid. Written by `invoicing/refunds.py`.

    It is made by its credit note, in one call; one that somebody made at Stripe has none.
    """

    class Status(models.TextChoices):
        ASKED = "asked"
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        REFUSED = "refused", "the processor did not take it"
        AS_CREDIT = "as_credit", "failed, and given as credit instead"

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="refunds")
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="refunds")
    credit_note = models.OneToOneField(
        CreditNote, on_delete=models.PROTECT, null=True, blank=True, related_name="refund"
    )
    stripe_refund_id = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=12, choices=Status.choices)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    failure_code = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "refund"
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_is_of_something"),
            models.UniqueConstraint(
                fields=["stripe_refund_id"], condition=~Q(stripe_refund_id=""), name="refund_is_mirrored_once"
            ),
        ]
        indexes = [models.Index(fields=["account", "-asked_at"], name="refund_of_account")]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency}, {self.status}"


class InvoiceAct(Lease):
    """
    Something that is to be done to an invoice at Stripe: a row before it is a call. Written by `invoicing/acts.py`.

    `next_at` is when the sweep takes it on. `refused_code`: Stripe would not; nothing was done.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="invoice_acts")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="acts")
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in ActKind])
    credit_note = models.OneToOneField(CreditNote, on_delete=models.PROTECT, null=True, blank=True, related_name="act")
    actor = models.CharField(max_length=160)
    reason = models.CharField(max_length=400, blank=True)
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    refused_code = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "invoice_act"
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"], condition=Q(done_at__isnull=True), name="invoice_act_is_one_at_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["invoice", "-asked_at"], name="invoice_act_of_invoice"),
            models.Index(fields=["next_at"], condition=Q(done_at__isnull=True), name="invoice_act_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.invoice_id}"


class Dispute(models.Model):
    """
    A payment that a bank took back, until it is decided. Written by `invoicing/disputes.py`.

    `rebilled` is the invoice that asks for what was lost once more.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="disputes")
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="disputes")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="disputes")
    rebilled = models.OneToOneField(Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="rebills")
    stripe_dispute_id = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=24, help_text="Stripe's word; an inquiry's begins with warning_")
    reason = models.CharField(max_length=40)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    evidence_due_at = models.DateTimeField(null=True, blank=True)
    evidence_text = models.TextField(blank=True, max_length=20000)
    refused_code = models.CharField(max_length=64, blank=True, help_text="why Stripe did not take the last answer")
    opened_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "dispute"
        constraints = [models.CheckConstraint(condition=Q(amount_minor__gt=0), name="dispute_is_of_something")]
        indexes = [models.Index(fields=["account", "-opened_at"], name="dispute_of_account")]

    def __str__(self) -> str:
        return f"{self.reason}: {self.amount_minor} {self.currency}"


class DisputeDue(Lease):
    """What is to be done at Stripe about a dispute. Deleted when it is done. Written by `invoicing/disputes.py`."""

    class Wanted(models.TextChoices):
        SUBMIT = "submit", "send the evidence"
        ACCEPT = "accept", "give in"
        REBILL = "rebill", "bill what was lost"

    dispute = models.OneToOneField(Dispute, on_delete=models.PROTECT, primary_key=True, related_name="due")
    wanted = models.CharField(max_length=8, choices=Wanted.choices)
    actor = models.CharField(max_length=160)
    reason = models.CharField(max_length=400, blank=True)

    class Meta:
        db_table = "dispute_due"
        verbose_name_plural = "disputes due"
        indexes = [models.Index(fields=["next_at"], name="dispute_due_next")]

    def __str__(self) -> str:
        return f"{self.dispute_id}: {self.wanted}"
