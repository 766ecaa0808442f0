"""What moves on a clock without being paid there leaves nothing to pay or to credit, however Stripe prorates."""

from datetime import UTC, datetime

import pytest

from billing.changes_calculator.items import Item
from billing.changes_calculator.settled import settled

MONTH = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC))
START, HALFWAY, END = MONTH[0], datetime(2026, 1, 16, tzinfo=UTC), MONTH[1]


def pro(quantity):
    return {"price_pro": Item("si_1", "price_pro", 2500, quantity)}


def business(quantity):
    return {"price_business": Item("si_1", "price_business", 25000, quantity)}


OPPOSITES = [
    # before   after         at        by price
    (pro(2),   pro(1),       HALFWAY,  {"price_pro": 1250}),
    (pro(2),   pro(1),       START,    {"price_pro": 2500}),
    (pro(2),   pro(1),       END,      {}),
    (pro(1),   pro(1),       HALFWAY,  {}),
    (pro(3),   {},           HALFWAY,  {"price_pro": 3750}),
    (business(1), pro(1),    HALFWAY,  {"price_business": 12500, "price_pro": -1250}),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "at", "by_price"), OPPOSITES)
def test_what_stripe_prorates_is_taken_off_again_price_by_price(before, after, at, by_price):
    params = settled(before, after, MONTH, currency="usd", at=at)

    added = params.get("add_invoice_items", [])
    assert {line["metadata"]["paygo_price"]: line["price_data"]["unit_amount"] for line in added} == by_price
    assert params["proration_behavior"] == "create_prorations"
    assert params["proration_date"] == at.timestamp()
