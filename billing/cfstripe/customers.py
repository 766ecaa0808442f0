"""Customers at Stripe."""

from typing import Any

from .client import client
from .errors import translated
from .shapes import Raw, raw_of


def create(*, account_id: str, email: str, name: str) -> str:
    """Return the id of the account's customer, made now; the same within a day when called again."""
    with translated():
        customer = client().v1.customers.create(
            {"email": email, "name": name, "metadata": {"paygo_account": account_id}},
            {"idempotency_key": f"customer_{account_id}"},
        )
    return customer.id


def find(*, account_id: str, email: str) -> str:
    """Return the id of the customer that was made for this account before, empty if none was."""
    with translated():
        for customer in client().v1.customers.list({"email": email, "limit": 100}).auto_paging_iter():
            if customer.metadata and customer.metadata.to_dict().get("paygo_account") == account_id:
                return customer.id
    return ""


def set_default_method(customer_id: str, method_processor_id: str, *, key: str) -> None:
    """Make a method the one that invoices are charged to. Each choice has a key of its own: people change back."""
    params: Any = {"invoice_settings": {"default_payment_method": method_processor_id}}
    with translated():
        client().v1.customers.update(customer_id, params, {"idempotency_key": f"{key}_{customer_id}"})


def set_metadata(customer_id: str, metadata: dict[str, str], *, key: str) -> Raw:
    """Return the customer after these metadata were written; others stay."""
    with translated():
        return raw_of(client().v1.customers.update(customer_id, {"metadata": {**metadata}}, {"idempotency_key": key}))


def rename(customer_id: str, name: str, *, key: str) -> None:
    """Have invoices and the processor's pages call the customer by this name. Safe to repeat under its key."""
    with translated():
        client().v1.customers.update(customer_id, {"name": name}, {"idempotency_key": key})


def retrieve(customer_id: str) -> Raw:
    """Return the customer as it is now."""
    with translated():
        return raw_of(client().v1.customers.retrieve(customer_id))


def create_for_test(test_clock_id: str, *, key: str) -> str:
    """Return the id of a new customer whose time is a test clock's."""
    with translated():
        return client().v1.customers.create({"test_clock": test_clock_id}, {"idempotency_key": key}).id
