"""What somebody has keeps the price that it was sold at; only the catalogue's own door moves it to today's. Pure."""

from ..catalog.values import PriceItem
from ..objectproducts.phases import Phase
from .licences import is_billed
from .snapshot import Element
from .wish import Wish


def sold_at(wish: Wish, element: Element | None, price: PriceItem) -> PriceItem:
    """Return the price of what is wanted: the one that the same thing is had at, else the one that is on sale."""
    if wish.want.at_current_price or element is None or not is_billed(element.license_source_id):
        return price
    held = element.current
    if (series_of(held.price_id), held.interval) != (series_of(price.id), price.interval):
        return price
    return PriceItem(held.price_id, held.interval, held.currency, held.unit_amount_minor, held.stripe_price_id)


def is_new_price(before: Phase | None, after: Phase | None) -> bool:
    """Whether nothing but the price is another one."""
    if before is None or after is None or before.price_id == after.price_id:
        return False
    return (before.value, before.billed_quantity, before.interval) == (
        after.value,
        after.billed_quantity,
        after.interval,
    )


def series_of(price_id: str) -> str:
    """Return what is priced, whatever the interval and the version: of `pro_month_v2` pro."""
    return price_id.rsplit("_", 2)[0]
