"""Stripe bills no more of a clock than what is left on it: items go for nothing, the last one with its clock."""

from datetime import datetime

from billing.cfstripe import invoice_items
from billing.changes_calculator.left_clocks import bring_into_line
from billing.models.invoices import BillingSchedule

from ..models.actions import DunningAction
from .outcome import Done


def cancel_items(action: DunningAction, *, now: datetime) -> Done:
    """
    Take off what was cancelled, crediting and charging nothing. Safe to repeat: quantities are absolute.

    When nothing is left the subscription is cancelled with no proration and no last invoice, and what waited at Stripe
    to be billed with it is deleted, so that it does not turn up on an invoice of another kind.
    """
    assert action.schedule_id is not None
    schedule = BillingSchedule.objects.get(pk=action.schedule_id)
    remains = bring_into_line(schedule, key=f"dunning_{action.pk}_{action.attempts}", now=now)
    if remains:
        return Done(details={"schedule_id": schedule.pk, "has_ended": False, "items": []})
    customer_id = action.account.customer.stripe_customer_id
    deleted = invoice_items.delete_pending(customer_id, schedule.stripe_subscription_id, key=f"dunning_{action.pk}")
    return Done(details={"schedule_id": schedule.pk, "has_ended": True, "items": list(deleted)})
