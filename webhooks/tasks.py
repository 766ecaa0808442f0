"""What wakes the pipe. Each looks for due rows until there are none."""

from contextlib import suppress

from billing.cfstripe.errors import StripeUnavailable
from config import clock
from config.celery import task

from .backfill import backfill_recent
from .fanout import fan_out_due
from .forwarding import forward_due
from .prune import prune_inbox
from .release import deliver_due


@task("webhooks.forward")
def forward() -> None:
    """Forward the events that are due."""
    while forward_due(now=clock.now()):
        continue


@task("webhooks.deliver_journal")
def deliver_journal() -> None:
    """Act on what the journal has for the pipe."""
    while deliver_due(now=clock.now()):
        continue


@task("webhooks.fan_out")
def fan_out() -> None:
    """Tell services what the journal has for them."""
    while fan_out_due(now=clock.now()):
        continue


@task("webhooks.backfill")
def backfill() -> None:
    """Take up what Stripe could not deliver."""
    with suppress(StripeUnavailable):  # asked again in a quarter of an hour
        backfill_recent(now=clock.now())


@task("webhooks.prune")
def prune() -> None:
    """Empty one batch of old payloads."""
    prune_inbox()
