"""Read Stripe's payment methods. Pure; reads both payload generations."""

from dataclasses import dataclass

from .shapes import Raw, id_of


@dataclass(frozen=True, slots=True)
class MethodFacts:
    """A payment method, without anything that could be charged by itself."""

    id: str
    customer_id: str
    kind: str
    brand: str
    last4: str
    expiry_month: int | None
    expiry_year: int | None


def read_method(raw: Raw) -> MethodFacts:
    """Return the facts of a payment method, or of a card of the older form, which has its fields on itself."""
    card = raw if raw.get("object") == "card" else raw.get("card") or {}
    return MethodFacts(
        id=raw["id"],
        customer_id=id_of(raw.get("customer")),
        kind=raw.get("type") or "card",
        brand=(card.get("brand") or "").lower(),
        last4=card.get("last4") or "",
        expiry_month=card.get("exp_month"),
        expiry_year=card.get("exp_year"),
    )


def read_holder(raw: Raw) -> dict[str, str | None]:
    """Return the name, e-mail and address of who holds a payment method, by the processor's names of the fields."""
    details = raw.get("billing_details") or {}
    address = details.get("address") or {}
    return {"name": details.get("name"), "email": details.get("email"), **address}
