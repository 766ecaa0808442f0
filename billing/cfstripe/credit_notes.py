"""Credit notes at Stripe."""

from .client import client
from .errors import translated
from .shapes import Raw, raw_of


def retrieve(credit_note_id: str) -> Raw:
    """Return the note as it is now."""
    with translated():
        return raw_of(client().v1.credit_notes.retrieve(credit_note_id))
