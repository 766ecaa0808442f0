"""What the APIs' documents show: things as the APIs answer them, and bodies as they take them."""

from typing import Any

ACCOUNT_ID, ZONE_ID = "0f6c2ab94e1d4c7f8a35d1be90c7e4a2", "5b1d7e9a3c2f4860b7ad9e41c8f0d623"
SUBSCRIPTION_ID, WORKFLOW_ID = "9c4e1f7a2b8d4035a6e7c0d9f1b23e58", "3e8a5c0d7f1b4926a4d0b7e9c2f81a6d"
Example = dict[str, Any]

ACCOUNT: Example = {
    "id": ACCOUNT_ID, "name": "Acme", "type": "standard", "created_on": "2026-01-15T12:00:00Z",
}  # fmt: skip
MEMBERSHIP: Example = {
    "id": "7d0c5e2f9a1b4c3d8e6f0a7b5c4d3e2f",
    "account": ACCOUNT,
    "permissions": {"billing": {"read": True, "write": True}},
    "roles": ["Super administrator"],
    "status": "accepted",
}
RATE_PLAN: Example = {
    "id": "pro", "public_name": "Pro", "currency": "USD", "scope": "zone", "sets": [], "is_contract": False,
    "externally_managed": False,
}  # fmt: skip
SUBSCRIPTION: Example = {
    "id": SUBSCRIPTION_ID,
    "state": "Paid",
    "price": 25.0,
    "currency": "USD",
    "frequency": "monthly",
    "rate_plan": RATE_PLAN,
    "component_values": [{"name": "page_rules", "value": 20, "default": 20, "price": 0.0}],
    "current_period_start": "2026-01-15T12:00:00Z",
    "current_period_end": "2026-02-15T12:00:00Z",
    "zone": {"id": ZONE_ID, "name": "acme.example"},
    "workflow_id": None,
    "client_secret": None,
    "scheduled_change": None,
}
PURCHASE: Example = {"rate_plan": {"id": "pro"}, "frequency": "monthly"}
CHANGE: Example = {"rate_plan": {"id": "business"}}
CART: Example = {"subscriptions": [{"zone": {"id": ZONE_ID}, **PURCHASE}, {"rate_plan": {"id": "workers_paid"}}]}
PLAN: Example = {
    "id": "pro", "name": "Pro", "price": 25.0, "currency": "USD", "frequency": "monthly", "is_subscribed": True,
    "can_subscribe": False, "externally_managed": False, "legacy_id": "pro",
}  # fmt: skip
COMPONENT: Example = {"name": "page_rules", "default": 20, "unit_price": 1.0}
OFFER: Example = {
    "id": "pro", "name": "Pro", "currency": "USD", "frequency": "monthly", "duration": 1, "price": 25.0,
    "components": [COMPONENT],
}  # fmt: skip
PRICED: Example = {"id": "pro", "public_name": "Pro", "currency": "USD", "components": [COMPONENT]}
ZONE: Example = {
    "id": ZONE_ID, "name": "acme.example", "status": "active", "created_on": "2026-01-15T12:00:00Z",
    "account": {"id": ACCOUNT_ID, "name": "Acme"}, "plan": PLAN,
}  # fmt: skip
ENTITLEMENT: Example = {
    "id": "17",
    "allocation": {"type": "int", "value": 20},
    "feature": {"id": 3, "key": "rules.page_rules", "name": "Rules page rules", "feature_set": "rules"},
    "created_date": "2026-01-15T12:00:00Z",
    "edited_date": "2026-01-15T12:00:00Z",
    "deleted_date": "",
}
BILLED: Example = {
    "id": "1a2b3c4d5e6f40718293a4b5c6d7e8f9",
    "type": "invoice",
    "action": "purchase",
    "description": "Purchase PG-0001",
    "status": "Paid",
    "amount": 25.0,
    "amount_to_pay": 0.0,
    "currency": "USD",
    "occurred_at": "2026-01-15T12:00:00Z",
}
INVOICE_ID, METHOD_ID = "4d5e6f708192a3b4c5d6e7f8091a2b3c", "5e6f708192a3b4c5d6e7f8091a2b3c4d"
UNPAID: Example = BILLED | {
    "id": INVOICE_ID,
    "action": "cycle",
    "description": "Renewal PG-0002",
    "status": "Unpaid",
    "amount_to_pay": 25.0,
}
CREDIT: Example = {
    "id": "2b3c4d5e6f708192a3b4c5d6e7f80910",
    "kind": "promotional",
    "amount": 20.0,
    "remaining": 12.5,
    "reserved": 0.0,
    "currency": "USD",
    "granted_on": "2026-01-15T12:00:00Z",
    "expires_on": None,
}
CREDIT_BALANCE: Example = {
    "has_record": True,
    "eligible": True,
    "currency": "USD",
    "confirmed_balance_cents": 1250,
    "original_amount_cents": 2000,
    "percent_consumed": 37.5,
    "valid_from": "2026-01-15T12:00:00Z",
    "valid_to": None,
    "days_remaining": None,
    "projected_depletion_date": None,
}
WORKFLOW: Example = {
    "id": WORKFLOW_ID,
    "state": "waiting",
    "changes": [
        {"object": {"type": "zone", "id": ZONE_ID}, "rate_plan": {"id": "pro"}, "frequency": "monthly"},
    ],
    "created_on": "2026-01-15T12:00:00Z",
    "expires_on": "2026-01-16T11:00:00Z",
    "finished_on": None,
    "client_secret": "pi_123_secret_456",
    "refusal": None,
}  # fmt: skip
PREVIEW: Example = {
    "due_now": 225.0,
    "currency": "USD",
    "tax_included": False,
    "lines": [{"description": "Business plan", "quantity": 1, "unit_price": 250.0, "amount": 250.0}],
    "changes_now": [
        {"object": {"type": "zone", "id": ZONE_ID}, "subscription_id": SUBSCRIPTION_ID, "because": "larger"},
    ],
    "changes_at_period_end": [],
}  # fmt: skip
REASON: Example = {"reason_code": ["too_expensive"], "other": "We moved."}
MADE: Example = {"outcome": "committed", "workflow_id": WORKFLOW_ID, "subscriptions": [SUBSCRIPTION]}
REFUSAL: Example = {
    "success": False,
    "errors": [
        {
            "code": 1301,
            "message": "You cannot add or modify subscriptions or services until the outstanding balance is paid.",
            "documentation_url": "https://billing.example.com/client/v4/docs/errors#outstanding_balance",
        }
    ],
    "messages": [],
    "result": None,
}
