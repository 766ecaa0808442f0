"""Charges: one attempt at a card each, and what the bank said."""

from typing import Any

from sandbox.world import World

from .cards import DECLINES
from .events import emit
from .find import find, newest
from .ids import new_id
from .lists import page, within
from .params import PAGE, TIME_RANGE, Params, group, text

Object = dict[str, Any]

RETRIEVE = group()
LIST = group(customer=text, payment_intent=text, created=TIME_RANGE, **PAGE)


def retrieve(world: World, _params: Params, charge_id: str) -> Object:
    return find(world, "charge", charge_id)


def list_charges(world: World, params: Params) -> Object:
    charges = newest(world, "charge", customer=params.get("customer"), payment_intent=params.get("payment_intent"))
    return page(
        (charge for charge in charges if within(charge["created"], params.get("created"))), params, "/v1/charges"
    )


def record_charge(
    world: World, intent: Object, method: Object, *, decline_name: str | None, authenticated: bool
) -> Object:
    """Record an attempt at a card for what the intent asks, succeeded or declined, and tell of it."""
    succeeded = decline_name is None
    captured = succeeded and intent["capture_method"] != "manual"
    charge = world.add(
        {
            "id": new_id("ch"),
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if captured else 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": new_id("txn") if succeeded else None,
            "billing_details": method["billing_details"],
            "calculated_statement_descriptor": "PAYGO",
            "captured": captured,
            "created": world.now(),
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": None if decline_name is None else DECLINES[decline_name].code,
            "failure_message": None if decline_name is None else DECLINES[decline_name].message,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": None,
            "outcome": _outcome(decline_name),
            "paid": succeeded,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": _details(intent, method, authenticated=authenticated),
            "receipt_email": intent["receipt_email"],
            "receipt_number": None,
            "receipt_url": None,
            "refunded": False,
            "review": None,
            "shipping": None,
            "source": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "succeeded" if succeeded else "failed",
            "transfer_data": None,
            "transfer_group": None,
        }
    )
    emit(world, "charge.succeeded" if succeeded else "charge.failed", charge)
    return charge


def _outcome(decline_name: str | None) -> Object:
    if decline_name is None:
        return {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "risk_score": 20,
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    decline = DECLINES[decline_name]
    blocked = decline_name == "fraudulent"
    return {
        "advice_code": decline.advice_code,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "not_sent_to_network" if blocked else "declined_by_network",
        "reason": decline.decline_code,
        "risk_level": "highest" if blocked else "normal",
        "risk_score": 90 if blocked else 20,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "blocked" if blocked else "issuer_declined",
    }


def _details(intent: Object, method: Object, *, authenticated: bool) -> Object:
    card = method["card"]
    secured = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }
    return {
        "card": {
            "amount_authorized": intent["amount"],
            "authorization_code": None,
            "brand": card["brand"],
            "checks": card["checks"],
            "country": card["country"],
            "electronic_commerce_indicator": "05" if authenticated else None,
            "exp_month": card["exp_month"],
            "exp_year": card["exp_year"],
            "fingerprint": card["fingerprint"],
            "funding": card["funding"],
            "installments": None,
            "last4": card["last4"],
            "mandate": None,
            "network": card["brand"],
            "network_transaction_id": None,
            "regulated_status": card["regulated_status"],
            "three_d_secure": secured if authenticated else None,
            "transaction_link_id": None,
            "wallet": None,
        },
        "type": "card",
    }
