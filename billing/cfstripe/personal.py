"""Which values of Stripe's objects say who somebody is. Pure."""

from typing import Any

# By name, wherever in an object they stand. What is left are ids, amounts, times and states.
PERSONAL = frozenset({
    "account_holder_name", "address", "billing_details", "business_name", "customer_address", "customer_email",
    "customer_name", "customer_phone", "customer_shipping", "customer_tax_ids", "description", "email", "fingerprint",
    "individual_name", "ip_address", "last4", "name", "owner", "payer_email", "payer_name", "phone", "receipt_email",
    "shipping", "user_agent",
})  # fmt: skip


def without_personal_data(raw: Any) -> Any:
    """Return the same with each personal value as null, at any depth."""
    if isinstance(raw, dict):
        return {name: None if name in PERSONAL else without_personal_data(value) for name, value in raw.items()}
    if isinstance(raw, list):
        return [without_personal_data(value) for value in raw]
    return raw
