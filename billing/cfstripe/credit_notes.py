"""Credit notes at Stripe: an invoice made smaller, on an open or a paid one."""

from typing import Any

from .client import client
from .errors import translated
from .reversals import OUR_ID
from .shapes import Raw, raw_of

FOUND_AT_MOST = 100


def create(
    invoice_id: str,
    *,
    our_id: str,
    lines: list[tuple[str, int]],
    refund_minor: int = 0,
    outside_minor: int = 0,
    memo: str = "",
    key: str,
) -> Raw:
    """
    Return the credit note that takes these (description, minor units) off an invoice.

    On an open invoice less is to be paid. On a paid one `refund_minor` goes back to how it was paid, and
    `outside_minor` the customer gets from us; together they are all of it. It carries our own id.
    """
    params: dict[str, Any] = {
        "invoice": invoice_id,
        "lines": [
            {"type": "custom_line_item", "description": description, "quantity": 1, "unit_amount": amount_minor}
            for description, amount_minor in lines
        ],
        "metadata": {OUR_ID: our_id},
    }
    if refund_minor:
        params["refund_amount"] = refund_minor
    if outside_minor:
        params["out_of_band_amount"] = outside_minor
    if memo:
        params["memo"] = memo
    with translated():
        return raw_of(client().v1.credit_notes.create(params, {"idempotency_key": key}))  # type: ignore[arg-type]


def find(invoice_id: str, *, our_id: str) -> Raw | None:
    """Return the credit note of this invoice that carries our id, None if Stripe has made none."""
    with translated():
        page = client().v1.credit_notes.list({"invoice": invoice_id, "limit": FOUND_AT_MOST})
    found = (raw_of(note) for note in page.data)
    return next((note for note in found if (note.get("metadata") or {}).get(OUR_ID) == our_id), None)


def retrieve(note_id: str) -> Raw:
    """Return the credit note as it is now."""
    with translated():
        return raw_of(client().v1.credit_notes.retrieve(note_id))
