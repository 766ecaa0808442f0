"""A call whose outcome is unknown and whose key Stripe has forgotten: what it did is looked for, never done again."""

from datetime import datetime
from typing import Any

from ..cfstripe import subscriptions
from ..cfstripe.errors import StripeRefused, StripeUnavailable
from ..cfstripe.shapes import Raw, read_subscription
from ..customers import KEY_LIFETIME
from ..models.changes import ChangeWorkflow
from ..models.invoices import BillingSchedule
from .change_set import StripeCall
from .next_period import items_by_price, next_phases, quantities
from .request import Refusal

NEVER_ASKED = "never_asked"


class OutcomeUnclear(StripeUnavailable):
    """What Stripe has is neither what a change asked for nor what was there before it."""


UNCLEAR = Refusal("outcome_unclear", "What became of it at the payment processor is not known. Somebody is looking.")


def is_forgotten(workflow: ChangeWorkflow, *, now: datetime) -> bool:
    """Whether Stripe may take a repeat of this change's first call for another one."""
    return now - workflow.requested_at > KEY_LIFETIME


def find_asked(workflow: ChangeWorkflow, call: StripeCall, customer_id: str) -> Raw:
    """
    Return the subscription as the call made it, with its newest invoice.

    A new one carries the change's id. One that was changed has the items that were asked for, or waits for them: the
    change has held its clock ever since, so nobody else can have made them so.

    :raises StripeRefused: Stripe never did it; a day later nobody wants it done anew.
    :raises OutcomeUnclear: the subscription has neither what was asked for nor what was before: somebody must look.
    """
    if call.operation == "subscriptions.create":
        made = subscriptions.find_of_workflow(customer_id, workflow.pk)
        if made is None:
            raise StripeRefused(NEVER_ASKED)
        return subscriptions.retrieve_with_invoice(made)
    raw = subscriptions.retrieve_with_invoice(call.object_id)
    pending = (raw.get("pending_update") or {}).get("subscription_items") or ()
    wanted = call.params["items"]
    if _has(raw["items"]["data"], wanted) or _has(pending, wanted):
        return raw
    if not pending and _bills_what_is_owned(workflow, raw):
        raise StripeRefused(NEVER_ASKED)
    raise OutcomeUnclear(workflow.pk)


def _bills_what_is_owned(workflow: ChangeWorkflow, raw: Raw) -> bool:
    """Whether the subscription is as it was before the change: what is owned has not changed since."""
    facts = read_subscription(raw)
    schedule = BillingSchedule.objects.get(account=workflow.account_id, stripe_subscription_id=facts.id)
    before = {price: item.quantity for price, item in items_by_price(facts).items() if item.quantity}
    owned = quantities(next_phases(schedule), items_by_price(facts))
    return before == {price: item.quantity for price, item in owned.items()}


def _has(items: Any, wanted: list[dict[str, Any]]) -> bool:
    return bool(wanted) and all(any(_is(item, want) for item in items) for want in wanted)


def _is(item: dict[str, Any], want: dict[str, Any]) -> bool:
    price = item["price"]["id"] if isinstance(item["price"], dict) else item["price"]
    shown = {"id": item["id"], "price": price, "quantity": item.get("quantity")}
    return all(shown[name] == value for name, value in want.items())
