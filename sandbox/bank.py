"""What banks and their customers do: answer 3D Secure, turn a card, replace it, revoke, dispute, return a refund."""

from collections.abc import Callable
from typing import Any

from .stripe import disputes, mandates, refunds
from .stripe.authentication import answer_for_customer
from .stripe.cards import DECLINES
from .stripe.events import emit
from .stripe.find import find
from .world import World

Document = dict[str, Any]


def authenticate(world: World, said: Document) -> Document:
    """Answer for the customer: `outcome` complete or fail; `card` names a test card if none was chosen before."""
    if said.get("outcome") not in ("complete", "fail"):
        raise ValueError("outcome is complete or fail")
    with world.transaction():
        return answer_for_customer(
            world, said["client_secret"], complete=said["outcome"] == "complete", card=said.get("card")
        )


def turn_card(world: World, said: Document) -> Document:
    """Decide how a saved card answers from now on: `outcome` is "ok" or the name of a decline."""
    outcome = said["outcome"]
    if outcome != "ok" and outcome not in DECLINES:
        raise ValueError(f"outcome is ok or one of {', '.join(DECLINES)}")
    with world.transaction():
        method = world.edit(find(world, "payment_method", said["payment_method"]))
        method["_on_charge"] = None if outcome == "ok" else outcome
    return {"payment_method": method["id"], "outcome": outcome}


def update_card(world: World, said: Document) -> Document:
    """Act as the card networks' updater: a saved card gets a new expiry (and last4), and works again."""
    with world.transaction():
        method = world.edit(find(world, "payment_method", said["payment_method"]))
        method["card"].update({name: said[name] for name in ("exp_month", "exp_year", "last4") if name in said})
        method["_on_charge"] = None
        emit(world, "payment_method.automatically_updated", method)
    return {"payment_method": method["id"], "card": method["card"]}


def revoke_mandate(world: World, said: Document) -> Document:
    """Revoke a mandate as the bank or the customer would; its method is declined from now on."""
    with world.transaction():
        mandate = find(world, "mandate", said["mandate"])
        mandates.revoke(world, mandate)
    return {"mandate": mandate["id"], "status": mandate["status"]}


def dispute_charge(world: World, said: Document) -> Document:
    """Open a dispute (`charge`, `reason`), or decide one (`dispute`, `outcome` won or lost) as the bank would."""
    with world.transaction():
        if "charge" in said:
            if said["reason"] not in (*disputes.REASONS, "inquiry"):
                raise ValueError(f"reason is one of {', '.join(disputes.REASONS)}, inquiry")
            dispute = disputes.open_dispute(world, find(world, "charge", said["charge"]), reason=said["reason"])
        else:
            dispute = find(world, "dispute", said["dispute"])
            if said["outcome"] not in ("won", "lost") or dispute["status"] not in disputes.OPEN:
                raise ValueError("outcome is won or lost, of a dispute that is open")
            disputes.decide(world, dispute, outcome=said["outcome"])
    return {"dispute": dispute["id"], "status": dispute["status"]}


def end_refund(world: World, said: Document) -> Document:
    """End a refund: `outcome` failed (the bank returned it) or succeeded."""
    ends = {"failed": refunds.fail_later, "succeeded": refunds.succeed_later}
    with world.transaction():
        refund = find(world, "refund", said["refund"])
        ends[said["outcome"]](world, refund["id"])
    return {"refund": refund["id"], "status": refund["status"]}


ACTS: dict[tuple[str, str], Callable[[World, Document], Document]] = {
    ("POST", "/_sandbox/authenticate"): authenticate,
    ("POST", "/_sandbox/payment_methods"): turn_card,
    ("POST", "/_sandbox/card_updater"): update_card,
    ("POST", "/_sandbox/mandates"): revoke_mandate,
    ("POST", "/_sandbox/disputes"): dispute_charge,
    ("POST", "/_sandbox/refunds"): end_refund,
}
