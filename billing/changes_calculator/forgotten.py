"""A call whose outcome is unknown and whose key Stripe has forgotten: what it did is looked for, never done again."""

from datetime import datetime
from typing import Any

from ..cfstripe import subscriptions
from ..cfstripe.errors import StripeRefused
from ..cfstripe.shapes import Raw
from ..customers import KEY_LIFETIME
from ..models.changes import ChangeWorkflow
from .change_set import StripeCall

NEVER_ASKED = "never_asked"


def is_forgotten(workflow: ChangeWorkflow, *, now: datetime) -> bool:
    """Whether Stripe may take a repeat of this change's first call for another one."""
    return now - workflow.requested_at > KEY_LIFETIME


def find_asked(workflow: ChangeWorkflow, call: StripeCall, customer_id: str) -> Raw:
    """
    Return the subscription as the call made it, with its newest invoice.

    A new one carries the change's id. One that was changed has the items that were asked for, or waits for them: the
    change has held its clock ever since, so nobody else can have made them so.

    :raises StripeRefused: Stripe never did it; a day later nobody wants it done anew.
    """
    if call.operation == "subscriptions.create":
        made = subscriptions.find_of_workflow(customer_id, workflow.pk)
        if made is None:
            raise StripeRefused(NEVER_ASKED)
        return subscriptions.retrieve_with_invoice(made)
    raw = subscriptions.retrieve_with_invoice(call.object_id)
    pending = (raw.get("pending_update") or {}).get("subscription_items") or ()
    wanted = call.params["items"]
    if not (_has(raw["items"]["data"], wanted) or _has(pending, wanted)):
        raise StripeRefused(NEVER_ASKED)
    return raw


def _has(items: Any, wanted: list[dict[str, Any]]) -> bool:
    return bool(wanted) and all(any(_is(item, want) for item in items) for want in wanted)


def _is(item: dict[str, Any], want: dict[str, Any]) -> bool:
    price = item["price"]["id"] if isinstance(item["price"], dict) else item["price"]
    shown = {"id": item["id"], "price": price, "quantity": item.get("quantity")}
    return all(shown[name] == value for name, value in want.items())
