"""Read Stripe's objects: nothing else in the project touches their raw JSON. Pure; reads both payload generations."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

Raw = dict[str, Any]

# A line that we priced ourselves names the price that it is a part of.
PRICE_KEY = "paygo_price"


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One invoice line; `amount_minor` before tax."""

    id: str
    description: str
    price_id: str
    item_id: str
    quantity: int
    amount_minor: int
    period_start: datetime
    period_end: datetime
    is_proration: bool = False


@dataclass(frozen=True, slots=True)
class DeclineFacts:
    """The last error of a payment intent: the decline code or the error's own, and which method was declined."""

    code: str
    advice_code: str
    method_processor_id: str


@dataclass(frozen=True, slots=True)
class IntentFacts:
    """A payment intent. `charged_at` is when its last charge was made, None unless that was expanded."""

    id: str
    status: str
    decline: DeclineFacts | None
    charged_at: datetime | None


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """
    An invoice; times are Stripe's clock.

    `carried_minor` is what the customer's balance added to it (negative: took off it, or carried on), `credited_minor`
    what credit notes took off before it was paid. What says how its payment stands (`payment_status`, the decline,
    whose method) is the payment intent's, and empty unless that was expanded. `is_left_to_us`: Stripe does nothing.
    """

    id: str
    number: str
    status: str
    currency: str
    customer_id: str
    subscription_id: str
    billing_reason: str
    subtotal_minor: int
    tax_minor: int
    total_minor: int
    paid_minor: int
    carried_minor: int
    credited_minor: int
    created_at: datetime
    finalized_at: datetime | None
    paid_at: datetime | None
    voided_at: datetime | None
    payment_intent_id: str
    payment_status: str
    client_secret: str
    is_left_to_us: bool
    was_attempted: bool
    decline: DeclineFacts | None
    lines: tuple[LineFacts, ...]

    @property
    def is_paid(self) -> bool:
        return self.status == "paid"


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One item of a subscription with its own period."""

    id: str
    price_id: str
    quantity: int
    period_start: datetime
    period_end: datetime
    unit_amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """A subscription."""

    id: str
    status: str
    customer_id: str
    anchor_at: datetime
    items: tuple[ItemFacts, ...]
    currency: str = ""

    def item_of_price(self, stripe_price_id: str) -> ItemFacts | None:
        """Return the item that bills this price; a subscription has one per price."""
        return next((item for item in self.items if item.price_id == stripe_price_id), None)


class Answer(Protocol):
    """What the SDK returns."""

    def to_dict(self) -> Raw: ...


def raw_of(answer: Answer) -> Raw:
    """Return an answer as it came over the wire: the SDK makes decimals of strings, which JSON can't hold."""
    raw: Raw = _plain(answer.to_dict())
    return raw


def read_invoice(raw: Raw) -> InvoiceFacts:
    """Return the facts of an invoice object."""
    transitions = raw.get("status_transitions") or {}
    secret = (raw.get("confirmation_secret") or {}).get("client_secret") or ""
    return InvoiceFacts(
        id=raw["id"],
        number=raw.get("number") or "",
        status=raw.get("status") or "draft",
        currency=raw["currency"],
        customer_id=id_of(raw.get("customer")),
        subscription_id=_subscription_of_invoice(raw),
        billing_reason=raw.get("billing_reason") or "",
        subtotal_minor=raw["total"] - _tax(raw),
        tax_minor=_tax(raw),
        total_minor=raw["total"],
        paid_minor=raw.get("amount_paid") or 0,
        carried_minor=_carried(raw),
        credited_minor=raw.get("pre_payment_credit_notes_amount") or 0,
        created_at=time_of(raw["created"]),
        finalized_at=_time(transitions.get("finalized_at")),
        paid_at=_time(transitions.get("paid_at")),
        voided_at=_time(transitions.get("voided_at")),
        payment_intent_id=_payment_intent_of_invoice(raw) or secret.split("_secret_")[0],
        payment_status=str(_intent(raw).get("status") or ""),
        client_secret=secret,
        is_left_to_us=not raw.get("auto_advance"),
        was_attempted=bool(raw.get("attempted")),
        decline=_decline(_intent(raw)),
        lines=tuple(_read_line(line) for line in (raw.get("lines") or {}).get("data", ())),
    )


def read_intent(raw: Raw) -> IntentFacts:
    """Return the facts of a payment intent."""
    charge = raw.get("latest_charge")
    return IntentFacts(
        id=raw["id"],
        status=raw["status"],
        decline=_decline(raw),
        charged_at=_time(charge.get("created")) if isinstance(charge, dict) else None,
    )


def read_finalization_error(raw: Raw) -> str:
    """Return the code of what keeps an invoice from being finalised; empty for one that nothing keeps."""
    error = raw.get("last_finalization_error") or {}
    return str(error.get("code") or error.get("type") or "")


def read_subscription(raw: Raw) -> SubscriptionFacts:
    """Return the facts of a subscription; before 2025 the period stood on the subscription itself."""
    return SubscriptionFacts(
        id=raw["id"],
        status=raw["status"],
        customer_id=id_of(raw.get("customer")),
        anchor_at=time_of(raw["billing_cycle_anchor"]),
        items=tuple(
            ItemFacts(
                id=item["id"],
                price_id=id_of(item.get("price")),
                quantity=item.get("quantity") or 0,
                period_start=time_of(item.get("current_period_start") or raw["current_period_start"]),
                period_end=time_of(item.get("current_period_end") or raw["current_period_end"]),
                unit_amount_minor=_unit_amount(item.get("price")),
            )
            for item in raw["items"]["data"]
        ),
        currency=raw.get("currency") or "",
    )


def read_tax_rate(raw: Raw) -> str:
    """Return the id of the rate by which an invoice bears tax, empty if it bears none."""
    rates = ((tax.get("tax_rate_details") or {}).get("tax_rate") for tax in raw.get("total_taxes") or ())
    return next((id_of(rate) for rate in rates if rate), "")


def id_of(reference: object) -> str:
    """Return the id of something that Stripe gives as an id or, expanded, as an object; empty for nothing."""
    if isinstance(reference, dict):
        return str(reference.get("id") or "")
    return str(reference or "")


def time_of(seconds: int) -> datetime:
    """Return Stripe's whole seconds as a time, UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Decimal) else value


def _time(seconds: int | None) -> datetime | None:
    return time_of(seconds) if seconds else None


def _tax(raw: Raw) -> int:
    taxes = raw.get("total_taxes")
    if taxes is None:  # before 2025
        return raw.get("tax") or 0
    return sum(tax["amount"] for tax in taxes)


def _carried(raw: Raw) -> int:
    is_draft = (raw.get("status") or "draft") == "draft"  # which does not know its ending balance yet
    return 0 if is_draft else (raw.get("starting_balance") or 0) - (raw.get("ending_balance") or 0)


def _subscription_of_invoice(raw: Raw) -> str:
    if "subscription" in raw:  # before 2025
        return id_of(raw["subscription"])
    details = (raw.get("parent") or {}).get("subscription_details") or {}
    return id_of(details.get("subscription"))


def _payment_intent_of_invoice(raw: Raw) -> str:
    if raw.get("payment_intent"):  # before 2025
        return id_of(raw["payment_intent"])
    payments = (raw.get("payments") or {}).get("data", ())
    return next((id_of(p["payment"].get("payment_intent")) for p in payments if p.get("payment")), "")


def shows_payment(raw: Raw) -> bool:
    """Return whether an invoice says by which payment it was paid; what events carry does not, since 2025."""
    return bool(raw.get("payment_intent")) or raw.get("payments") is not None


def _intent(raw: Raw) -> Raw:
    """The payment intent, where the answer has it expanded; else nothing."""
    for payment in (raw.get("payments") or {}).get("data", ()):
        intent = (payment.get("payment") or {}).get("payment_intent")
        if isinstance(intent, dict):
            return intent
    return {}


def _decline(intent: Raw) -> DeclineFacts | None:
    error = intent.get("last_payment_error")
    if not error:
        return None
    return DeclineFacts(
        code=error.get("decline_code") or error.get("code") or "card_declined",
        advice_code=error.get("advice_code") or "",
        method_processor_id=id_of(error.get("payment_method")),
    )


def _unit_amount(price: object) -> int:
    return (price.get("unit_amount") or 0) if isinstance(price, dict) else 0


def _read_line(raw: Raw) -> LineFacts:
    pricing = (raw.get("pricing") or {}).get("price_details") or {}
    details = (raw.get("parent") or {}).get("subscription_item_details") or {}
    item = details.get("subscription_item")
    return LineFacts(
        id=raw["id"],
        description=raw.get("description") or "",
        price_id=(raw.get("metadata") or {}).get(PRICE_KEY) or id_of(pricing.get("price") or raw.get("price")),
        item_id=id_of(item or raw.get("subscription_item")),
        quantity=raw.get("quantity") or 0,
        amount_minor=raw["amount"],
        period_start=time_of(raw["period"]["start"]),
        period_end=time_of(raw["period"]["end"]),
        is_proration=bool(details.get("proration") or raw.get("proration")),
    )
