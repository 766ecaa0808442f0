"""A draft of an invoice, and what its lines come to."""

from typing import Any

from sandbox.world import World

from . import settings
from .balance import minimum_charge
from .ids import new_id
from .taxes import taxed, totals

Object = dict[str, Any]


def draft_invoice(
    world: World,
    customer: Object,
    *,
    currency: str,
    billing_reason: str,
    lines: list[Object],
    period: tuple[int, int],
    subscription: Object | None = None,
    **said: Any,
) -> Object:
    """Return a new draft with these lines, not yet announced; `said` overrides what an invoice has by default."""
    invoice_id = new_id("in")
    now = world.now()
    settled_by: Object = subscription or {}
    invoice = {
        "id": invoice_id,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Sandbox",
        "account_tax_ids": None,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {
            "disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": billing_reason,
        "collection_method": settled_by.get("collection_method", "charge_automatically"),
        "created": now,
        "currency": currency,
        "custom_fields": None,
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": period[1],
        "period_start": period[0],
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        "test_clock": customer["test_clock"],
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": None,
        "_days_until_due": settled_by.get("days_until_due"),
        "_lines": [],
        "_tax_percent": settings.read(world)["tax_percent"],
    }  # fmt: skip
    if subscription is not None:
        invoice["parent"] = {
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]),
                "subscription": subscription["id"],
            },
            "type": "subscription_details",
        }
        invoice["_subscription"] = subscription["id"]
    invoice.update(said)
    put_lines(invoice, lines, balance=customer["balance"])
    return world.add(invoice)


def put_lines(invoice: Object, lines: list[Object], *, balance: int) -> None:
    """Give a draft its lines and everything that follows from them: totals, and what would be due with a balance."""
    invoice["_lines"] = [{**line, "invoice": invoice["id"]} for line in taxed(lines, invoice.get("_tax_percent", 0))]
    sums = totals(invoice["_lines"])
    due, _ending = due_and_ending_balance(sums["total"], balance, invoice["currency"])
    invoice.update(
        **sums,
        starting_balance=balance,
        amount_due=due,
        amount_remaining=due,
    )


def due_and_ending_balance(total: int, balance: int, currency: str) -> tuple[int, int]:
    """
    Return what is to be paid and the customer's balance afterwards, in minor units.

    A credit is used up first; what is left below the minimum charge is not charged but carried on the balance.
    """
    owed = total + balance
    return (owed, 0) if owed >= minimum_charge(currency) else (0, owed)
