"""The last state of each object that Stripe showed us."""

from django.db import models


class StripeMirror(models.Model):
    """One object at Stripe as last seen. Written by `cfstripe/mirror.py`, which keeps the newest."""

    id = models.CharField(primary_key=True, max_length=120, help_text="Stripe's id")
    kind = models.CharField(max_length=40, help_text="Stripe's word: invoice, subscription …")
    account_id = models.CharField(max_length=32, blank=True, db_index=True, help_text="ours; empty: not known to be")
    payload = models.JSONField()
    seen_at = models.DateTimeField(help_text="Stripe's clock: when the object was in this state")

    class Meta:
        db_table = "stripe_mirror"
        verbose_name = "Stripe object"

    def __str__(self) -> str:
        return self.pk
