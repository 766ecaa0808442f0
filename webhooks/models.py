"""The inbox: every event that Stripe sent and we act on, once, and what Braintree told."""

from django.db import models
from django.db.models import Q

from accounts.models import Lease


class FanoutShard(Lease):
    """
    One sixteenth of the accounts, by the first hex digit of their id's MD5: one worker at a time tells of them.

    The rows stand from the beginning and are always due; what waits is `journal_delivery`. Served by `fanout.py`.
    """

    shard = models.CharField(primary_key=True, max_length=1, help_text="0 to f")

    class Meta:
        db_table = "fanout_shard"

    def __str__(self) -> str:
        return f"shard {self.shard}"


class StripeEvent(Lease):
    """
    One event as it arrived. Inserted by `event_filter.py`, finished by `forwarding.py`.

    Unprocessed rows are the work: taken by lease, given back after failures with a later `next_at`.
    """

    class Outcome(models.TextChoices):
        CHANGED = "changed"
        NOTHING = "nothing", "nothing left to do"
        FOREIGN = "foreign", "not ours"
        STUCK = "stuck"

    id = models.CharField(primary_key=True, max_length=255, help_text="Stripe's id: the dedup key")
    type = models.CharField(max_length=120)
    api_version = models.CharField(max_length=40, blank=True)
    account_id = models.CharField(max_length=32, blank=True, db_index=True, help_text="known once resolved")
    created_at = models.DateTimeField(help_text="Stripe's time")
    received_at = models.DateTimeField(help_text="machine time")
    payload = models.JSONField()
    processed_at = models.DateTimeField(null=True, blank=True, help_text="machine time")
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    last_error = models.CharField(max_length=200, blank=True, help_text="the error's class; no payload")

    class Meta:
        db_table = "stripe_event"
        constraints = [
            models.CheckConstraint(
                condition=Q(processed_at__isnull=True) | ~Q(outcome=""), name="stripe_event_processed_has_an_outcome"
            )
        ]
        indexes = [
            models.Index(fields=["-received_at"], name="stripe_event_newest"),
            models.Index(fields=["next_at", "id"], condition=Q(processed_at__isnull=True), name="stripe_event_due"),
            models.Index(fields=["processed_at"], condition=~Q(payload={}), name="stripe_event_to_prune"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"


class BraintreeEvent(models.Model):
    """One notification as Braintree signed it. Inserted by `braintree_filter.py`; one that asks for something waits."""

    id = models.CharField(primary_key=True, max_length=64, help_text="SHA-256 of the signed text: it has no id")
    kind = models.CharField(max_length=120)
    created_at = models.DateTimeField(help_text="Braintree's time")
    received_at = models.DateTimeField(help_text="machine time")
    payload = models.TextField(help_text="the signed text, base64")

    class Meta:
        db_table = "braintree_event"
        indexes = [models.Index(fields=["-received_at"], name="braintree_event_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk[:12]}"
