"""Mandates: the customer's permission to charge a saved method later. The bank or the customer may revoke it."""

from typing import Any

from sandbox.world import World

from .events import emit
from .find import find
from .ids import new_id
from .params import Params, group

Object = dict[str, Any]

RETRIEVE = group()


def retrieve(world: World, _params: Params, mandate_id: str) -> Object:
    return find(world, "mandate", mandate_id)


def new_mandate(world: World, method: Object) -> Object:
    """Record that the owner of a method agreed to later charges."""
    return world.add(
        {
            "id": new_id("mandate"),
            "object": "mandate",
            "customer_acceptance": {
                "accepted_at": world.now(),
                "online": {"ip_address": "127.0.0.1", "user_agent": "sandbox"},
                "type": "online",
            },
            "livemode": False,
            "multi_use": {},
            "payment_method": method["id"],
            "payment_method_details": {"card": {}, "type": "card"},
            "status": "active",
            "type": "multi_use",
        }
    )


def revoke(world: World, mandate: Object) -> None:
    """Revoke a mandate; from now on its method is declined with `revocation_of_authorization`."""
    mandate = world.edit(mandate)
    mandate["status"] = "inactive"
    world.edit(find(world, "payment_method", mandate["payment_method"]))["_on_charge"] = "mandate_revoked"
    emit(world, "mandate.updated", mandate)
