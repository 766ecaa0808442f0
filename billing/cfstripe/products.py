"""Products and prices at Stripe: what publishing the catalogue makes there."""

from .client import client
from .errors import StripeRefused, translated

LOOKUPS_A_CALL = 10


def find_prices(price_ids: list[str]) -> dict[str, str]:
    """Return Stripe's id for each of our price ids that is there already."""
    found: dict[str, str] = {}
    for start in range(0, len(price_ids), LOOKUPS_A_CALL):
        with translated():
            page = client().v1.prices.list({"lookup_keys": price_ids[start : start + LOOKUPS_A_CALL], "limit": 100})
        found.update({price.lookup_key: price.id for price in page.data if price.lookup_key})
    return found


def ensure_product(product_id: str, *, name: str) -> None:
    """Make the product under our own id, unless it is there."""
    try:
        with translated():
            client().v1.products.create({"id": product_id, "name": name}, {"idempotency_key": f"product_{product_id}"})
    except StripeRefused as refusal:
        if refusal.code != "resource_already_exists":
            raise


def create_price(price_id: str, *, product_id: str, currency: str, unit_amount_minor: int, interval: str) -> str:
    """Return Stripe's id of a new recurring price that carries ours as its lookup key."""
    with translated():
        price = client().v1.prices.create(
            {
                "product": product_id,
                "currency": currency,
                "unit_amount": unit_amount_minor,
                "recurring": {"interval": interval},
                "lookup_key": price_id,
            },
            {"idempotency_key": f"price_{price_id}"},
        )
    return price.id
