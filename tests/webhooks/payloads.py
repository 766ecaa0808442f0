"""Events as Stripe sends them: full-shaped objects of API 2026-10-28.endive, and the signature over them."""

import json
from datetime import datetime
from itertools import count
from typing import Any

import stripe
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from billing.cfstripe.client import API_VERSION
from config import clock

Object = dict[str, Any]

_numbers = count(1)


def new_id(prefix: str) -> str:
    """Return an id that no other test of this run uses, in Stripe's form."""
    return f"{prefix}_1Test{clock.machine_now():%H%M%S%f}{next(_numbers):06}"


def event(event_type: str, of: Object, **fields: Any) -> Object:
    """Return an event of our API version about the object `of`, made now unless `created` says when."""
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": int(clock.now().timestamp()),
        "data": {"object": of},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": new_id("req"), "idempotency_key": None},
        "type": event_type,
    } | fields


def signature(payload: str, *, secret: str = "", at: datetime | None = None) -> str:
    """Return the header that Stripe would send with the payload; signed now unless `at` says when."""
    at = at or clock.machine_now()
    return stripe.WebhookSignature.generate_signature_header(
        payload, secret or settings.STRIPE_WEBHOOK_SECRETS[0], int(at.timestamp())
    )


def send(payload: Object | str) -> HttpResponse:
    """Deliver an event, signed, to our door, and return the answer."""
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return Client().post(
        "/webhooks/stripe",
        data=text,
        content_type="application/json",
        headers={"Stripe-Signature": signature(text)},
    )


def customer(customer_id: str, **fields: Any) -> Object:
    return {
        "id": customer_id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": int(clock.now().timestamp()),
        "currency": "usd",
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": "billing@example.com",
        "invoice_prefix": "0759376C",
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None},
        "livemode": False,
        "metadata": {},
        "name": "Example",
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    } | fields


def invoice(customer_id: str, *, status: str = "open", total: int = 2000, **fields: Any) -> Object:
    """Return an invoice over `total` minor units of one line."""
    now = int(clock.now().timestamp())
    is_final, is_paid = status != "draft", status == "paid"
    subscription_id = new_id("sub")
    return {
        "id": new_id("in"),
        "object": "invoice",
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": total if is_paid else 0,
        "amount_remaining": 0 if is_paid else total,
        "attempt_count": 0,
        "attempted": is_paid,
        "auto_advance": False,
        "billing_reason": "subscription_create",
        "collection_method": "charge_automatically",
        "created": now,
        "currency": "usd",
        "customer": customer_id,
        "lines": {
            "object": "list",
            "data": [
                {
                    "id": new_id("il"),
                    "object": "line_item",
                    "amount": total,
                    "currency": "usd",
                    "description": "1 x Pro",
                    "metadata": {},
                    "parent": {
                        "type": "subscription_item_details",
                        "subscription_item_details": {
                            "proration": False,
                            "subscription": subscription_id,
                            "subscription_item": new_id("si"),
                        },
                    },
                    "period": {"start": now, "end": now + 30 * 86400},
                    "pricing": {
                        "type": "price_details",
                        "price_details": {"price": "price_pro", "product": "prod_pro"},
                    },
                    "quantity": 1,
                    "taxes": [],
                }
            ],
            "has_more": False,
            "total_count": 1,
            "url": "/v1/invoices/lines",
        },
        "livemode": False,
        "metadata": {},
        "number": "0759376C-0001" if is_final else None,
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"metadata": {}, "subscription": subscription_id},
            "quote_details": None,
        },
        "period_end": now,
        "period_start": now,
        "status": status,
        "status_transitions": {
            "finalized_at": now if is_final else None,
            "marked_uncollectible_at": None,
            "paid_at": now if is_paid else None,
            "voided_at": now if status == "void" else None,
        },
        "subtotal": total,
        "total": total,
        "total_taxes": [],
    } | fields


def payment_intent(customer_id: str | None, **fields: Any) -> Object:
    return {
        "id": new_id("pi"),
        "object": "payment_intent",
        "amount": 2000,
        "amount_received": 2000,
        "created": int(clock.now().timestamp()),
        "currency": "usd",
        "customer": customer_id,
        "last_payment_error": None,
        "latest_charge": new_id("ch"),
        "livemode": False,
        "metadata": {},
        "payment_method": new_id("pm"),
        "status": "succeeded",
    } | fields


def payment_method(customer_id: str, **fields: Any) -> Object:
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "card": {
            "brand": "visa",
            "country": "US",
            "display_brand": "visa",
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": "Xt5EWLLDS7FJjR1c",
            "funding": "credit",
            "last4": "4242",
        },
        "created": int(clock.now().timestamp()),
        "customer": customer_id,
        "livemode": False,
        "metadata": {},
        "type": "card",
    } | fields


def subscription(customer_id: str, **fields: Any) -> Object:
    return {"id": new_id("sub"), "object": "subscription", "customer": customer_id, "metadata": {}} | fields


def setup_intent(customer_id: str, **fields: Any) -> Object:
    return {
        "id": new_id("seti"),
        "object": "setup_intent",
        "customer": customer_id,
        "mandate": None,
        "metadata": {},
        "payment_method": new_id("pm"),
        "status": "succeeded",
        "usage": "off_session",
    } | fields


def card(customer_id: str | None, **fields: Any) -> Object:
    """Return a card of the older form, as `customer.source.*` events have it."""
    return {
        "id": new_id("card"),
        "object": "card",
        "brand": "Visa",
        "country": "US",
        "customer": customer_id,
        "exp_month": 8,
        "exp_year": 2030,
        "fingerprint": "AOB934RVNwzk6xtn",
        "funding": "credit",
        "last4": "4242",
        "metadata": {},
        "name": "Jane Example",
    } | fields


def paid_by(payment_id: str) -> Object:
    """Return what an invoice says of the payment that paid it, where that is asked for; no event says so."""
    payment = {"payment": {"type": "payment_intent", "payment_intent": payment_id}, "status": "paid"}
    return {"payments": {"object": "list", "data": [payment], "has_more": False}}


def charge(customer_id: str | None, **fields: Any) -> Object:
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": 2000,
        "amount_captured": 2000,
        "amount_refunded": 2000,
        "captured": True,
        "created": int(clock.now().timestamp()),
        "currency": "usd",
        "customer": customer_id,
        "metadata": {},
        "payment_intent": new_id("pi"),
        "refunded": True,
        "status": "succeeded",
    } | fields


def credit_note(customer_id: str, **fields: Any) -> Object:
    return {
        "id": new_id("cn"),
        "object": "credit_note",
        "amount": 2000,
        "created": int(clock.now().timestamp()),
        "currency": "usd",
        "customer": customer_id,
        "invoice": new_id("in"),
        "metadata": {},
        "reason": None,
        "status": "issued",
        "type": "post_payment",
    } | fields


def dispute(*, of_payment: str, **fields: Any) -> Object:
    """Return a dispute of a payment intent; like a mandate it names no customer."""
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": 2000,
        "charge": new_id("ch"),
        "created": int(clock.now().timestamp()),
        "currency": "usd",
        "evidence_details": {"due_by": int(clock.now().timestamp()) + 9 * 86400, "has_evidence": False},
        "metadata": {},
        "payment_intent": of_payment,
        "reason": "fraudulent",
        "status": "needs_response",
    } | fields


def refund(*, of_payment: str, **fields: Any) -> Object:
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": 2000,
        "charge": new_id("ch"),
        "created": int(clock.now().timestamp()),
        "currency": "usd",
        "failure_reason": "lost_or_stolen_card",
        "metadata": {},
        "payment_intent": of_payment,
        "status": "failed",
    } | fields


def mandate(*, of_method: str, **fields: Any) -> Object:
    return {
        "id": new_id("mandate"),
        "object": "mandate",
        "multi_use": {},
        "payment_method": of_method,
        "payment_method_details": {"card": {}, "type": "card"},
        "status": "inactive",
        "type": "multi_use",
    } | fields
