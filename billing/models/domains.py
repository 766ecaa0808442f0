"""What the registrar told of domains, and what it asks to be paid for them."""

from django.db import models
from django.db.models import Q

from accounts.models import Account, Lease, new_id


class DomainEvent(models.Model):
    """
    One event of the registrar's that was acted on; its row is written in the transaction that did so.

    So an event that comes twice finds itself, and does nothing again. Written by `billing/domains.py`.
    """

    id = models.CharField(primary_key=True, max_length=64, help_text="the registrar's id of the event")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="domain_events")
    kind = models.CharField(max_length=24)
    domain = models.CharField(max_length=253)
    occurred_at = models.DateTimeField(help_text="at the registrar")
    processed_at = models.DateTimeField()
    outcome = models.CharField(max_length=24, help_text="what came of it: a charge, a change, or nothing")

    class Meta:
        db_table = "domain_event"
        indexes = [models.Index(fields=["domain", "-occurred_at"], name="domain_event_of_domain")]

    def __str__(self) -> str:
        return f"{self.kind} {self.domain}"


class DomainCharge(Lease):
    """
    Years of a domain that the registrar asks to be paid. Written by `domains.py` and `charge_domains.py` of billing.

    One row for each expiry that is to be reached; a renewal is tried up to four times before the old one.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="domain_charges")
    kind = models.CharField(max_length=24, help_text="the event that asked: registered, transferred_in, renewed")
    domain = models.CharField(max_length=253)
    years = models.PositiveSmallIntegerField()
    renews_at = models.DateTimeField(null=True, blank=True, help_text="the expiry that a renewal is in time for")
    expires_at = models.DateTimeField(help_text="until when the domain is paid for, once this is")
    tries = models.PositiveSmallIntegerField(default=0, help_text="how often the payment was asked for and refused")
    workflow_id = models.CharField(max_length=32, blank=True, help_text="the change that paid, or was refused last")
    outcome = models.CharField(max_length=24, blank=True, help_text="paid, or why it is not tried any more")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "domain_charge"
        constraints = [
            models.UniqueConstraint(fields=["account", "domain", "expires_at"], name="domain_charge_is_one_per_expiry"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, outcome="") | (Q(ended_at__isnull=False) & ~Q(outcome="")),
                name="domain_charge_ends_with_an_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(ended_at__isnull=True), name="domain_charge_due"),
            models.Index(fields=["domain"], name="domain_charge_of_domain"),
            models.Index(fields=["-expires_at"], name="domain_charge_by_expiry"),
            models.Index(fields=["workflow_id"], condition=~Q(workflow_id=""), name="domain_charge_of_change"),
        ]

    def __str__(self) -> str:
        return f"{self.years} years of {self.domain}"


class PoisonMessage(models.Model):
    """The body of a message that could not be understood or acted on, kept until somebody has it tried again."""

    id = models.CharField(primary_key=True, max_length=64, help_text="as in subs_stuck_events.external_id")
    body = models.TextField()
    kept_at = models.DateTimeField()

    class Meta:
        db_table = "poison_message"

    def __str__(self) -> str:
        return self.pk
