"""Charges at Stripe."""

from .client import client
from .errors import translated
from .shapes import Raw, raw_of


def retrieve(charge_id: str) -> Raw:
    """Return the charge as it is now."""
    with translated():
        return raw_of(client().v1.charges.retrieve(charge_id))
