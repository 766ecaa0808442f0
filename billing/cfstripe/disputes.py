"""Disputes at Stripe: answered with evidence, or accepted."""

from .client import client
from .errors import translated
from .shapes import Raw, raw_of


def submit(dispute_id: str, *, evidence_text: str, key: str) -> Raw:
    """Return the dispute after sending our side of it to the bank; it can be sent once."""
    with translated():
        return raw_of(
            client().v1.disputes.update(
                dispute_id,
                {"evidence": {"uncategorized_text": evidence_text}, "submit": True},
                {"idempotency_key": key},
            )
        )


def accept(dispute_id: str, *, key: str) -> Raw:
    """Return the dispute after giving in: it is lost."""
    with translated():
        return raw_of(client().v1.disputes.close(dispute_id, {}, {"idempotency_key": key}))


def retrieve(dispute_id: str) -> Raw:
    """Return the dispute as it is now."""
    with translated():
        return raw_of(client().v1.disputes.retrieve(dispute_id))
