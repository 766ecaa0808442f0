"""Payment methods at Stripe."""

from typing import Any

from .client import client
from .errors import translated
from .shapes import MethodFacts, Raw, read_method

FAR_FUTURE_YEAR = 2040


def attach_test_card(customer_id: str, *, number: str, key: str) -> MethodFacts:
    """
    Make a method of a test card and attach it to the customer; safe to repeat with the same `key`.

    :raises StripeRefused: the number is not one of the test cards.
    :raises StripeDeclined: the card may not be attached.
    """
    card: Any = {
        "type": "card",
        "card": {"number": number, "exp_month": 12, "exp_year": FAR_FUTURE_YEAR, "cvc": "123"},
    }
    with translated():
        method = client().v1.payment_methods.create(card, {"idempotency_key": f"{key}_create"})
        attached = client().v1.payment_methods.attach(
            method.id, {"customer": customer_id}, {"idempotency_key": f"{key}_attach"}
        )
    return read_method(attached.to_dict())


def retrieve(method_id: str) -> Raw:
    """Return the method as it is now."""
    with translated():
        return client().v1.payment_methods.retrieve(method_id).to_dict()
