"""Mandates at Stripe."""

from .client import client
from .errors import translated
from .shapes import Raw, raw_of


def retrieve(mandate_id: str) -> Raw:
    """Return the mandate as it is now."""
    with translated():
        return raw_of(client().v1.mandates.retrieve(mandate_id))
