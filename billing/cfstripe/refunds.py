"""Refunds at Stripe: made by credit notes, read here."""

from .client import client
from .errors import translated
from .shapes import Raw, raw_of


def retrieve(refund_id: str) -> Raw:
    """Return the refund as it is now."""
    with translated():
        return raw_of(client().v1.refunds.retrieve(refund_id))
