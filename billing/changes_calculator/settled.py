"""
What changes at Stripe in the middle of a period, and is paid or given back in another way than there. Pure.

Stripe credits what it once billed, not what the items say today: after an update that it did not prorate, the next
one would credit the time that is gone a second time. So it prorates each, and what that comes to is taken off again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..cfstripe.shapes import PRICE_KEY
from .credited import CREDIT_PRODUCT
from .items import Item
from .lines import net_minor


def settled(
    before: Mapping[str, Item],
    after: Mapping[str, Item],
    period: tuple[datetime, datetime],
    *,
    currency: str,
    at: datetime,
) -> dict[str, Any]:
    """
    Return the parameters of an update from the items `before` to those `after`, both by price, that charges nothing.

    Stripe's credits and charges for the rest of the period wait for the next invoice, together with lines that are
    their opposite, price by price: whatever invoice they come to, they add up to 0 there.
    """
    nets = {price: net_minor(before.get(price), after.get(price), *period, at) for price in sorted({*before, *after})}
    opposite = [_line(price, -net, period, currency, at) for price, net in nets.items() if net]
    return {
        "proration_behavior": "create_prorations",
        "proration_date": int(at.timestamp()),
        **({"add_invoice_items": opposite} if opposite else {}),
    }


def _line(
    price_id: str, amount_minor: int, period: tuple[datetime, datetime], currency: str, at: datetime
) -> dict[str, Any]:
    return {
        "price_data": {"currency": currency, "product": CREDIT_PRODUCT, "unit_amount": amount_minor},
        "metadata": {PRICE_KEY: price_id},
        "period": {
            "start": {"type": "timestamp", "timestamp": int(at.timestamp())},
            "end": {"type": "timestamp", "timestamp": int(period[1].timestamp())},
        },
    }
