"""One phase of an OPE: what holds from when until when, and at what price. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

FREE_RANK = 0


@dataclass(frozen=True, slots=True)
class Phase:
    """
    A value of a component over a period `[starts_at, ends_at)`; `ends_at` None: until something changes it.

    `rank` orders values of one component: a tier's rank, or the count; 0 is the free or empty value.
    `stripe_price_id` is empty for what Stripe does not bill. Amounts are minor units of `currency`, per period: what
    was billed is known without asking the catalogue of today.
    """

    value: str | int
    rank: int
    rate_plan_id: str
    price_id: str
    stripe_price_id: str
    interval: str
    unit_amount_minor: int
    billed_quantity: int
    currency: str
    starts_at: datetime
    ends_at: datetime | None

    @property
    def amount_minor(self) -> int:
        """What the phase costs per period: unit amount times billed quantity, exact."""
        return self.unit_amount_minor * self.billed_quantity

    def billed_as(self, product: str, *, is_plan: bool) -> str:
        """Return what an invoice line says of what is billed: the plan, or the component by its name."""
        plan = f"{self.rate_plan_id.replace('_', ' ').capitalize()} plan"
        return plan if is_plan else f"{plan}: {product.replace('_', ' ')}"

    def to_json(self) -> dict[str, Any]:
        """Return the phase as it is stored in `value_phases`."""
        return {
            "value": self.value,
            "rank": self.rank,
            "rate_plan_id": self.rate_plan_id,
            "price_id": self.price_id,
            "stripe_price_id": self.stripe_price_id,
            "interval": self.interval,
            "unit_amount_minor": self.unit_amount_minor,
            "billed_quantity": self.billed_quantity,
            "amount_minor": self.amount_minor,
            "currency": self.currency,
            "from": self.starts_at.isoformat(),
            "until": self.ends_at.isoformat() if self.ends_at else None,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Phase":
        """Return the phase that `to_json` stored."""
        return cls(
            value=stored["value"],
            rank=stored["rank"],
            rate_plan_id=stored["rate_plan_id"],
            price_id=stored["price_id"],
            stripe_price_id=stored["stripe_price_id"],
            interval=stored["interval"],
            unit_amount_minor=stored["unit_amount_minor"],
            billed_quantity=stored["billed_quantity"],
            currency=stored["currency"],
            starts_at=datetime.fromisoformat(stored["from"]),
            ends_at=datetime.fromisoformat(stored["until"]) if stored["until"] else None,
        )
