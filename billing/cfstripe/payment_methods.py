"""Payment methods at Stripe."""

from typing import Any

from .client import client
from .errors import translated
from .shapes import MethodFacts, Raw, raw_of, read_method

FAR_FUTURE_YEAR = 2070


def attach_test_card(customer_id: str, *, number: str, key: str) -> MethodFacts:
    """
    Make a method of a test card and attach it to the customer; safe to repeat with the same `key`.

    The sandbox takes one that declines as well: a card that was good when it was saved and is not any more.

    :raises StripeRefused: the number is not one of the test cards.
    :raises StripeDeclined: the card may not be attached.
    """
    card: Any = {
        "type": "card",
        "card": {"number": number, "exp_month": 12, "exp_year": FAR_FUTURE_YEAR, "cvc": "123"},
        "metadata": {"sandbox_saved_while_good": "true"},
    }
    with translated():
        method = client().v1.payment_methods.create(card, {"idempotency_key": f"{key}_create"})
        attached = client().v1.payment_methods.attach(
            method.id, {"customer": customer_id}, {"idempotency_key": f"{key}_attach"}
        )
    return read_method(raw_of(attached))


def retrieve(method_id: str) -> Raw:
    """Return the method as it is now."""
    with translated():
        return raw_of(client().v1.payment_methods.retrieve(method_id))
