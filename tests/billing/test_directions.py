"""Which way a component goes: each row of the table, and the ones next to it that are not decided by it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from billing.changes_calculator.directions import ROWS, Direction, direction_of
from billing.objectproducts.phases import Phase

NOW = datetime(2026, 1, 15, tzinfo=UTC)
GROWING, SHRINKING, SAME = Direction.GROWING, Direction.SHRINKING, Direction.SAME


def tier(plan: str, rank: int, interval: str = "month", price_id: str = "") -> Phase:
    return Phase(
        plan, rank, plan, price_id or f"{plan}_{interval}_v1", f"price_{plan}", interval, 2500, 1, "usd", NOW, None
    )


def rules(count: int, billed: int, interval: str = "month") -> Phase:
    return replace(tier("pro", count, interval), value=count, billed_quantity=billed)


FREE, PRO, BUSINESS = tier("free", 0), tier("pro", 1), tier("business", 2)
PRO_YEARLY, BUSINESS_YEARLY = tier("pro", 1, "year"), tier("business", 2, "year")
PRO_PLUS = tier("pro_plus", 1)

TABLE = [
    # before          after            changes_licence  because               direction
    (None,            FREE,            False,           "nothing was there",  GROWING),
    (None,            PRO,             False,           "nothing was there",  GROWING),
    (None,            PRO,             True,            "nothing was there",  GROWING),
    (rules(25, 5),    None,            False,           "it goes",            SHRINKING),
    (rules(25, 5),    None,            True,            "it goes",            SHRINKING),
    (PRO,             PRO,             True,            "another licence",    GROWING),
    (BUSINESS,        PRO,             True,            "another licence",    GROWING),
    (PRO,             FREE,            True,            "it ends",            SHRINKING),
    (PRO,             PRO,             False,           "it is so already",   SAME),
    (FREE,            FREE,            False,           "it is so already",   SAME),
    (FREE,            tier("free", 0, "year"), False,   "it is so already",   SAME),
    (PRO,             tier("pro", 1, price_id="pro_month_v2"), False, "it is so already", SAME),
    (rules(25, 5),    rules(25, 5),    False,           "it is so already",   SAME),
    (FREE,            PRO,             False,           "it was free",        GROWING),
    (FREE,            BUSINESS_YEARLY, False,           "it was free",        GROWING),
    (PRO,             FREE,            False,           "it ends",            SHRINKING),
    (PRO_YEARLY,      FREE,            False,           "it ends",            SHRINKING),
    (PRO_YEARLY,      PRO,             False,           "yearly to monthly",  SHRINKING),
    (PRO_YEARLY,      BUSINESS,        False,           "yearly to monthly",  SHRINKING),
    (BUSINESS,        PRO,             False,           "smaller",            SHRINKING),
    (BUSINESS,        PRO_YEARLY,      False,           "smaller",            SHRINKING),
    (rules(25, 5),    rules(24, 4),    False,           "smaller",            SHRINKING),
    (PRO,             BUSINESS,        False,           "larger",             GROWING),
    (PRO,             BUSINESS_YEARLY, False,           "larger",             GROWING),
    (rules(25, 5),    rules(26, 6),    False,           "larger",             GROWING),
    (PRO,             PRO_YEARLY,      False,           "monthly to yearly",  GROWING),
    (PRO,             PRO_PLUS,        False,           "another price",      GROWING),
    (rules(25, 5),    rules(25, 25),   False,           "another price",      GROWING),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "changes_licence", "because", "direction"), TABLE)
def test_direction(before, after, changes_licence, because, direction):
    row = direction_of(before, after, changes_licence=changes_licence)

    assert (row.because, row.direction) == (because, direction)


def test_every_row_decides_something_here():
    assert {row.because for row in ROWS} == {because for _, _, _, because, _ in TABLE}
