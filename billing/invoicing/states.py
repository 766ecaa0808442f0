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


class ActKind(StrEnum):
    """What can be done to an invoice at Stripe beside collecting it; stored."""

    CREDIT_NOTE = "credit_note"
    UNCOLLECTIBLE = "uncollectible"
    WRITE_OFF = "write_off"
    SETTLE = "settle"
    VOID = "void"


# Paid and void are final: a lost dispute makes a new invoice.
MOVES: dict[InvoiceStatus, frozenset[InvoiceStatus]] = {
    InvoiceStatus.DRAFT:         frozenset({InvoiceStatus.OPEN, InvoiceStatus.PAID, InvoiceStatus.VOID}),
    InvoiceStatus.OPEN:          frozenset({InvoiceStatus.PAID, InvoiceStatus.UNCOLLECTIBLE, InvoiceStatus.VOID}),
    InvoiceStatus.UNCOLLECTIBLE: frozenset({InvoiceStatus.PAID, InvoiceStatus.VOID}),
    InvoiceStatus.PAID:          frozenset(),
    InvoiceStatus.VOID:          frozenset(),
}  # fmt: skip


# On which invoices each act is possible. A paid one is corrected by a credit note, which gives back what was paid.
ACTS: dict[ActKind, frozenset[InvoiceStatus]] = {
    ActKind.CREDIT_NOTE:   frozenset({InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE, InvoiceStatus.PAID}),
    ActKind.UNCOLLECTIBLE: frozenset({InvoiceStatus.OPEN}),
    ActKind.WRITE_OFF:     frozenset({InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE}),
    ActKind.SETTLE:        frozenset({InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE}),
    ActKind.VOID:          frozenset({InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE}),
}  # fmt: skip


def allows(status: InvoiceStatus, act: ActKind) -> bool:
    """Return whether an invoice in this state can be acted upon in this way."""
    return status in ACTS[act]


def may_move(status: InvoiceStatus, target: InvoiceStatus) -> bool:
    """Return whether an invoice may go from `status` to `target`; staying is always allowed."""
    return target is status or target in MOVES[status]
