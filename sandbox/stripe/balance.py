"""The customer balance: credits (negative) and carried cents (positive), applied when an invoice is finalised."""

from typing import Any

from sandbox.world import World

from .events import emit
from .find import find, find_live, newest
from .ids import new_id
from .lists import page
from .params import PAGE, Params, clearable, group, integer, merged_metadata, metadata, text

Object = dict[str, Any]

# Below this Stripe charges nothing, in minor units; other currencies as the dollar.
MINIMUM_CHARGE = {
    "usd": 50,
    "eur": 50,
    "gbp": 30,
    "jpy": 50,
    "sek": 300,
    "nok": 300,
    "dkk": 250,
    "hkd": 400,
    "mxn": 1000,
}

CREATE = group({"amount": integer, "currency": text}, description=clearable(text), metadata=metadata)
LIST = group(invoice=text, **PAGE)


def minimum_charge(currency: str) -> int:
    return MINIMUM_CHARGE.get(currency, 50)


def create(world: World, params: Params, customer_id: str) -> Object:
    """Adjust a customer's balance by hand."""
    customer = find_live(world, "customer", customer_id)
    return move_balance(
        world,
        customer,
        params["amount"],
        kind="adjustment",
        currency=params["currency"].lower(),
        description=params.get("description"),
        metadata=merged_metadata({}, params.get("metadata")),
    )


def list_transactions(world: World, params: Params, customer_id: str) -> Object:
    find(world, "customer", customer_id)
    found = newest(world, "customer_balance_transaction", customer=customer_id, invoice=params.get("invoice"))
    return page(found, params, f"/v1/customers/{customer_id}/balance_transactions")


def move_balance(world: World, customer: Object, amount: int, *, kind: str, currency: str, **about: Any) -> Object:
    """Change a customer's balance by `amount` minor units and record why; `about` names invoice or credit note."""
    customer = world.edit(customer)
    customer["balance"] += amount
    customer["currency"] = customer["currency"] or currency
    transaction = world.add(
        {
            "id": new_id("cbtxn"),
            "object": "customer_balance_transaction",
            "amount": amount,
            "checkout_session": None,
            "created": world.now(),
            "credit_note": None,
            "currency": currency,
            "customer": customer["id"],
            "customer_account": None,
            "description": None,
            "ending_balance": customer["balance"],
            "invoice": None,
            "livemode": False,
            "metadata": {},
            "type": kind,
            **about,
        }
    )
    emit(world, "customer.updated", customer)
    return transaction
