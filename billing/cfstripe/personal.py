"""Which values of Stripe's objects say who somebody is. Pure."""

import re
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


# An id or a word of Stripe's own; addresses, links and whatever somebody wrote have other characters in them.
_WORD = re.compile("[A-Za-z0-9_-]{1,120}")
TEXT = "(text)"


def in_words_of_stripe(raw: Any) -> Any:
    """Return what can be shown to whoever may look: the same without personal values, and any text as `(text)`."""
    if isinstance(raw, dict):
        return {name: None if name in PERSONAL else in_words_of_stripe(value) for name, value in raw.items()}
    if isinstance(raw, list):
        return [in_words_of_stripe(value) for value in raw]
    return TEXT if isinstance(raw, str) and raw and not _WORD.fullmatch(raw) else raw
