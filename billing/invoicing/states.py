"""The states of an invoice, how it may move between them, and why it may be finalised. Pure."""

from enum import StrEnum


class InvoiceStatus(StrEnum):
    """Stripe's words, and ours."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"


class FinalizeReason(StrEnum):
    """Why an invoice was finalised; stored."""

    PURCHASE = "purchase"
    CHANGE = "change"
    CYCLE = "cycle"
    THRESHOLD = "threshold"
    DISPUTE = "dispute"
    MANUAL = "manual"


# Paid and void are final: a lost dispute makes a new invoice.
MOVES: dict[InvoiceStatus, frozenset[InvoiceStatus]] = {
    InvoiceStatus.DRAFT:         frozenset({InvoiceStatus.OPEN, InvoiceStatus.PAID, InvoiceStatus.VOID}),
    InvoiceStatus.OPEN:          frozenset({InvoiceStatus.PAID, InvoiceStatus.UNCOLLECTIBLE, InvoiceStatus.VOID}),
    InvoiceStatus.UNCOLLECTIBLE: frozenset({InvoiceStatus.PAID, InvoiceStatus.VOID}),
    InvoiceStatus.PAID:          frozenset(),
    InvoiceStatus.VOID:          frozenset(),
}  # fmt: skip


def may_move(status: InvoiceStatus, target: InvoiceStatus) -> bool:
    """Return whether an invoice may go from `status` to `target`; staying is always allowed."""
    return target is status or target in MOVES[status]
