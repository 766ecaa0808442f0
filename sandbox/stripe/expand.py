"""`expand`: put an object where its id stands, and bring the members that are shown only when asked for."""

from collections.abc import Callable
from typing import Any

from sandbox.world import World

from .errors import malformed
from .find import find_any, newest
from .shapes import card_shown, embedded_list, shown

Object = dict[str, Any]

# The members that hold another object's id. Anything else cannot be expanded.
REFERENCES = frozenset(
    [
        "charge",
        "customer",
        "customer_balance_transaction",
        "credit_note",
        "default_payment_method",
        "default_source",
        "invoice",
        "latest_charge",
        "latest_invoice",
        "mandate",
        "payment_intent",
        "payment_method",
        "pending_setup_intent",
        "price",
        "product",
        "setup_intent",
        "subscription",
        "test_clock",
        "refund",
    ]
)
DEEPEST = 4


def expanded(world: World, answer: Object, paths: list[str]) -> Object:
    """Return the answer with every path expanded; `data.` goes into each member of a list."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEEPEST + (steps[0] == "data"):
            raise malformed(f"You cannot expand more than {DEEPEST} levels of a property: {path}", param="expand")
        answer = _walk(world, answer, steps, path)
    return answer


def _walk(world: World, value: Any, steps: list[str], path: str) -> Any:
    if not steps or value is None:
        return value
    if isinstance(value, list):
        return [_walk(world, member, steps, path) for member in value]
    if not isinstance(value, dict):
        raise _cannot(path)

    step, rest = steps[0], steps[1:]
    member = value.get(step)
    if step not in value and (value.get("object"), step) in INCLUDED:
        member = INCLUDED[value["object"], step](world, value)
    elif step not in value and not value.get("deleted"):
        raise _cannot(path)
    elif isinstance(member, str):
        member = _referenced(world, step, member, path)
    elif not rest and member is not None and not (isinstance(member, dict) and "object" in member):
        raise _cannot(path)
    return {**value, step: _walk(world, member, rest, path)}


def _referenced(world: World, step: str, object_id: str, path: str) -> Object:
    stored = find_any(world, object_id) if step in REFERENCES else None
    if stored is None:
        raise _cannot(path)
    return shown(world, stored)


def _cannot(path: str) -> Exception:
    return malformed(f"This property cannot be expanded ({path}).", param="expand")


def _confirmation_secret(world: World, invoice: Object) -> Object | None:
    """The secret with which a browser confirms the invoice's payment; there is none once nothing is to be paid."""
    for payment in newest(world, "invoice_payment", invoice=invoice["id"]):
        if payment["status"] == "open" and payment["payment"]["type"] == "payment_intent":
            intent = world.documents.get("payment_intent", payment["payment"]["payment_intent"])
            assert intent is not None
            return {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return None


def _payments(world: World, invoice: Object) -> Object:
    payments = [shown(world, payment) for payment in newest(world, "invoice_payment", invoice=invoice["id"])]
    return embedded_list(payments, "/v1/invoice_payments")


def _subscriptions(world: World, customer: Object) -> Object:
    ended = ("canceled", "incomplete_expired")
    live = [found for found in newest(world, "subscription", customer=customer["id"]) if found["status"] not in ended]
    return embedded_list([shown(world, found) for found in live], f"/v1/customers/{customer['id']}/subscriptions")


def _sources(world: World, customer: Object) -> Object:
    methods = newest(world, "payment_method", customer=customer["id"])
    cards = [card_shown(method) for method in methods if method["id"].startswith("card_")]
    return embedded_list(cards, f"/v1/customers/{customer['id']}/sources")


def _refunds(world: World, charge: Object) -> Object:
    refunds = [shown(world, refund) for refund in newest(world, "refund", charge=charge["id"])]
    return embedded_list(refunds, f"/v1/charges/{charge['id']}/refunds")


INCLUDED: dict[tuple[str, str], Callable[[World, Object], Any]] = {
    ("charge", "refunds"): _refunds,
    ("customer", "sources"): _sources,
    ("customer", "subscriptions"): _subscriptions,
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("invoice", "payments"): _payments,
}
