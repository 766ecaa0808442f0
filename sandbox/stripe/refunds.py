"""Refunds: money back to the card, sometimes pending first, sometimes failing later."""

from typing import Any

from sandbox.world import World

from .cards import BY_ALIAS
from .errors import invalid
from .events import emit
from .find import find, newest
from .ids import new_id
from .lists import page, within
from .params import PAGE, TIME_RANGE, Params, count, group, merged_metadata, metadata, one_of, text

Object = dict[str, Any]

# When a refund to one of the slow or failing test cards ends, after it was made.
LATER_SECONDS = 60 * 60

CREATE = group(
    amount=count,
    charge=text,
    payment_intent=text,
    metadata=metadata,
    reason=one_of("duplicate", "fraudulent", "requested_by_customer"),
)
RETRIEVE = group()
LIST = group(charge=text, payment_intent=text, created=TIME_RANGE, **PAGE)


def create(world: World, params: Params) -> Object:
    """Refund a charge, wholly or `amount` minor units of it."""
    return refund_charge(
        world,
        _charge_of(world, params),
        amount=params.get("amount"),
        reason=params.get("reason"),
        metadata=merged_metadata({}, params.get("metadata")),
    )


def retrieve(world: World, _params: Params, refund_id: str) -> Object:
    return find(world, "refund", refund_id)


def list_refunds(world: World, params: Params) -> Object:
    refunds = newest(world, "refund", charge=params.get("charge"), payment_intent=params.get("payment_intent"))
    return page(
        (refund for refund in refunds if within(refund["created"], params.get("created"))), params, "/v1/refunds"
    )


def refund_charge(
    world: World,
    charge: Object,
    *,
    amount: int | None,
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Object:
    """
    Give back what is left of a charge, or `amount` of it; never more.

    :raises StripeRefusal: nothing is left, more is asked for than is left, or the charge is disputed.
    """
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not charge["paid"] or left == 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if charge["disputed"]:
        raise invalid(f"Charge {charge['id']} has been charged back; it cannot be refunded.", code="charge_disputed")
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        raise invalid(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).", param="amount")
    ends = BY_ALIAS[find(world, "payment_method", charge["payment_method"])["_card"]].refund
    refund = world.add(
        {
            "id": new_id("re"),
            "object": "refund",
            "amount": amount,
            "balance_transaction": new_id("txn"),
            "charge": charge["id"],
            "created": world.now(),
            "currency": charge["currency"],
            "customer": charge["customer"],
            "customer_account": None,
            "destination_details": {"card": {"reference_status": "pending", "type": "refund"}, "type": "card"},
            "metadata": metadata or {},
            "payment_intent": charge["payment_intent"],
            "payment_method": charge["payment_method"],
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "pending" if ends == "pending" else "succeeded",
            "transfer_reversal": None,
        }
    )
    if ends != "succeeded":
        world.agenda.plan(f"refund_{ends}", refund["id"], world.now() + LATER_SECONDS)
    charge = world.edit(charge)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    emit(world, "refund.created", refund)
    emit(world, "charge.refunded", charge)
    return refund


def succeed_later(world: World, refund_id: str) -> None:
    """End a pending refund as succeeded."""
    refund = world.edit(find(world, "refund", refund_id))
    if refund["status"] == "pending":
        refund["status"] = "succeeded"
        emit(world, "refund.updated", refund)
        emit(world, "charge.refund.updated", refund)


def fail_later(world: World, refund_id: str) -> None:
    """Take a refund back that the bank has returned: the charge keeps its money after all."""
    refund = world.edit(find(world, "refund", refund_id))
    if refund["status"] not in ("pending", "succeeded"):
        return
    refund.update(status="failed", failure_reason="expired_or_canceled_card", failure_balance_transaction=new_id("txn"))
    charge = world.edit(find(world, "charge", refund["charge"]))
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    emit(world, "refund.updated", refund)
    emit(world, "charge.refund.updated", refund)
    emit(world, "refund.failed", refund)


def _charge_of(world: World, params: Params) -> Object:
    if "charge" in params:
        return find(world, "charge", params["charge"], param="charge")
    if "payment_intent" not in params:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    intent = find(world, "payment_intent", params["payment_intent"], param="payment_intent")
    if intent["status"] != "succeeded":
        raise invalid("This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
    return find(world, "charge", intent["latest_charge"])
