"""Disputes at Stripe."""

from .client import client
from .errors import translated
from .shapes import Raw, raw_of


def retrieve(dispute_id: str) -> Raw:
    """Return the dispute as it is now."""
    with translated():
        return raw_of(client().v1.disputes.retrieve(dispute_id))
