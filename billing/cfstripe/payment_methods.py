"""Payment methods at Stripe."""

from collections.abc import Mapping
from typing import Any

from .client import client
from .errors import StripeRefused, translated
from .method_shapes import MethodFacts, read_method
from .shapes import Raw, raw_of

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


def attach(method_id: str, customer_id: str, *, key: str) -> Raw:
    """
    Return the method, now the customer's.

    :raises StripeDeclined: the bank does not let it be kept.
    """
    with translated():
        return raw_of(
            client().v1.payment_methods.attach(method_id, {"customer": customer_id}, {"idempotency_key": key})
        )


def update(method_id: str, billing_details: Mapping[str, object], *, key: str) -> Raw:
    """Return the method with these details of who holds it; those not named stay."""
    params: Any = {"billing_details": dict(billing_details)}
    with translated():
        return raw_of(client().v1.payment_methods.update(method_id, params, {"idempotency_key": key}))


def detach(method_id: str, *, key: str) -> None:
    """Take the method from its customer: it can't be charged any more. One that is nobody's already stays so."""
    try:
        with translated():
            client().v1.payment_methods.detach(method_id, {}, {"idempotency_key": key})
    except StripeRefused:
        if retrieve(method_id).get("customer"):
            raise
