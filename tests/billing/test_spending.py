"""Which credit is spent first."""

from datetime import UTC, datetime

import pytest

from billing.invoicing.spending import Spendable, spend

SOON, LATER, GRANTED = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 6, 1))


def credit(name, available_minor, expires_at=None, currency="usd"):
    return Spendable(name, available_minor, currency, expires_at, GRANTED)


SPENT = [
    # amount  there is                                                        spent
    (10_00,   (credit("a", 10_00),),                                          (("a", 10_00),)),
    (10_00,   (credit("a", 9_99),),                                           (("a", 9_99),)),
    (10_00,   (credit("a", 10_01),),                                          (("a", 10_00),)),
    (10_00,   (credit("never", 10_00), credit("soon", 4_00, SOON)),           (("soon", 4_00), ("never", 6_00))),
    (10_00,   (credit("later", 10_00, LATER), credit("soon", 10_00, SOON)),   (("soon", 10_00),)),
    (10_00,   (credit("b", 4_00, SOON), credit("a", 4_00, SOON)),             (("a", 4_00), ("b", 4_00))),
    (10_00,   (credit("euros", 10_00, None, "eur"),),                         ()),
    (0,       (credit("a", 10_00),),                                          ()),
    (-1,      (credit("a", 10_00),),                                          ()),
    (10_00,   (),                                                             ()),
]  # fmt: skip


@pytest.mark.parametrize(("amount_minor", "there_is", "spent"), SPENT)
def test_the_oldest_expiry_is_spent_first(amount_minor, there_is, spent):
    assert spend(amount_minor, there_is, currency="usd") == spent
