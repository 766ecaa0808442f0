"""Read what takes money back at Stripe: credit notes, refunds, disputes. Pure; reads both payload generations."""

from dataclasses import dataclass
from datetime import datetime

from .shapes import Raw, id_of, time_of

OUR_ID = "paygo_id"
"""The metadata key under which Stripe's object carries the id of our row."""


@dataclass(frozen=True, slots=True)
class CreditNoteFacts:
    """A credit note; amounts in minor units. `refund_ids` are the refunds that it made."""

    id: str
    number: str
    our_id: str
    invoice_id: str
    status: str
    currency: str
    subtotal_minor: int
    tax_minor: int
    total_minor: int
    off_debt_minor: int
    outside_minor: int
    memo: str
    refund_ids: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """A refund; `status` is Stripe's: pending, requires_action, succeeded, failed or canceled."""

    id: str
    status: str
    charge_id: str
    payment_intent_id: str
    amount_minor: int
    currency: str
    failure_reason: str
    created_at: datetime

    @property
    def has_failed(self) -> bool:
        return self.status in {"failed", "canceled"}


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """A charge, and how much of it was refunded in all, in minor units."""

    id: str
    payment_intent_id: str
    refunded_minor: int


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """A dispute; an inquiry (`warning_…`) has taken no money."""

    id: str
    status: str
    reason: str
    charge_id: str
    payment_intent_id: str
    amount_minor: int
    currency: str
    evidence_due_at: datetime | None
    created_at: datetime

    @property
    def is_inquiry(self) -> bool:
        return self.status.startswith("warning_")

    @property
    def is_closed(self) -> bool:
        return self.status in {"won", "lost", "warning_closed", "prevented"}


def read_credit_note(raw: Raw) -> CreditNoteFacts:
    """Return the facts of a credit note; before 2025 what it took off was told by the type alone."""
    total_minor = raw["amount"]
    taxes = raw.get("total_taxes") or raw.get("tax_amounts") or ()
    tax_minor = sum(tax["amount"] for tax in taxes)
    off_debt_minor = raw.get("pre_payment_amount")
    if off_debt_minor is None:
        off_debt_minor = total_minor if raw.get("type") == "pre_payment" else 0
    refunds = raw.get("refunds") or ([{"refund": raw["refund"]}] if raw.get("refund") else [])
    return CreditNoteFacts(
        id=raw["id"],
        number=raw.get("number") or "",
        our_id=(raw.get("metadata") or {}).get(OUR_ID, ""),
        invoice_id=id_of(raw["invoice"]),
        status=raw.get("status") or "issued",
        currency=raw["currency"],
        subtotal_minor=total_minor - tax_minor,
        tax_minor=tax_minor,
        total_minor=total_minor,
        off_debt_minor=off_debt_minor,
        outside_minor=raw.get("out_of_band_amount") or 0,
        memo=raw.get("memo") or "",
        refund_ids=tuple(id_of(part["refund"]) for part in refunds if part.get("refund")),
        created_at=time_of(raw["created"]),
    )


def read_refund(raw: Raw) -> RefundFacts:
    """Return the facts of a refund."""
    return RefundFacts(
        id=raw["id"],
        status=raw.get("status") or "pending",
        charge_id=id_of(raw.get("charge")),
        payment_intent_id=id_of(raw.get("payment_intent")),
        amount_minor=raw["amount"],
        currency=raw["currency"],
        failure_reason=raw.get("failure_reason") or "",
        created_at=time_of(raw["created"]),
    )


def read_charge(raw: Raw) -> ChargeFacts:
    """Return the facts of a charge."""
    return ChargeFacts(
        id=raw["id"],
        payment_intent_id=id_of(raw.get("payment_intent")),
        refunded_minor=raw.get("amount_refunded") or 0,
    )


def read_dispute(raw: Raw) -> DisputeFacts:
    """Return the facts of a dispute."""
    due = (raw.get("evidence_details") or {}).get("due_by")
    return DisputeFacts(
        id=raw["id"],
        status=raw["status"],
        reason=raw.get("reason") or "general",
        charge_id=id_of(raw.get("charge")),
        payment_intent_id=id_of(raw.get("payment_intent")),
        amount_minor=raw["amount"],
        currency=raw["currency"],
        evidence_due_at=time_of(due) if due else None,
        created_at=time_of(raw["created"]),
    )
