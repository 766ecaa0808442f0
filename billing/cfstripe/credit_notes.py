"""Credit notes at Stripe: an invoice made smaller, on an open or a paid one."""

from dataclasses import dataclass
from typing import Any

from .client import client
from .errors import translated
from .reversals import OUR_ID
from .shapes import Raw, raw_of

FOUND_AT_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """
    What a note takes off, in minor units: so much before tax, and so much tax at the rate that the invoice bears.

    Of a paid invoice `refund_minor` goes back to how it was paid, and `outside_minor` the customer gets from us.
    """

    net_minor: int
    tax_minor: int = 0
    tax_rate_id: str = ""
    refund_minor: int = 0
    outside_minor: int = 0


def create(invoice_id: str, taken: Taken, *, our_id: str, memo: str = "", key: str) -> Raw:
    """
    Return the credit note that takes this off an invoice; it carries our own id.

    On an open invoice less is to be paid. Of a paid one, what is refunded and what the customer gets from us are
    together all of it.
    """
    line: dict[str, Any] = {
        "type": "custom_line_item",
        "description": memo or "Credit",
        "quantity": 1,
        "unit_amount": taken.net_minor,
    }
    if taken.tax_minor:
        line["tax_amounts"] = [
            {"amount": taken.tax_minor, "tax_rate": taken.tax_rate_id, "taxable_amount": taken.net_minor}
        ]
    params: dict[str, Any] = {"invoice": invoice_id, "lines": [line], "metadata": {OUR_ID: our_id}}
    if taken.refund_minor:
        params["refund_amount"] = taken.refund_minor
    if taken.outside_minor:
        params["out_of_band_amount"] = taken.outside_minor
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
