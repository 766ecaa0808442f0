from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.changes_calculator.proration import period_containing, prorate, round_half_up


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


JANUARY = (day("2026-01-01"), day("2026-02-01"))

UNUSED = [
    # amount_minor  at                      unused_minor
    (3100, "2026-01-01T00:00:00",       3100),
    (3100, "2026-01-01T00:00:01",       3100),  # 3099.998…
    (3100, "2026-01-02T00:00:00",       3000),
    (3100, "2026-01-31T23:59:59",          0),  # 0.001…
    (3100, "2026-02-01T00:00:00",          0),
    (3100, "2026-03-01T00:00:00",          0),  # after the period
    (3100, "2025-12-01T00:00:00",       3100),  # before it
    (   1, "2026-01-16T11:59:59",          1),  # a second less than half is used: 0.5000001…
    (   1, "2026-01-16T12:00:00",          1),  # exactly half, up
    (   1, "2026-01-16T12:00:01",          0),
    (-3100, "2026-01-02T00:00:00",     -3000),
    (   0, "2026-01-02T00:00:00",          0),
]  # fmt: skip


@pytest.mark.parametrize(("amount_minor", "at", "unused_minor"), UNUSED)
def test_prorate(amount_minor, at, unused_minor):
    assert prorate(amount_minor, *JANUARY, day(at)) == unused_minor


@given(
    amount_minor=st.integers(-(10**9), 10**9),
    length_seconds=st.integers(1, 366 * 86400),
    used_seconds=st.integers(0, 366 * 86400),
)
def test_prorate_is_the_exact_fraction_rounded_once(amount_minor, length_seconds, used_seconds):
    start = day("2026-01-01")
    used_seconds = min(used_seconds, length_seconds)

    unused = prorate(
        amount_minor, start, start + timedelta(seconds=length_seconds), start + timedelta(seconds=used_seconds)
    )

    exact = Fraction(amount_minor * (length_seconds - used_seconds), length_seconds)
    assert abs(unused - exact) <= Fraction(1, 2)
    assert unused == round_half_up(exact)


ROUNDED = [
    ("1/2",   1), ("-1/2", -1), ("3/2",  2), ("499/1000", 0), ("501/1000", 1), ("-499/1000", 0), ("7", 7), ("0", 0),
]  # fmt: skip


@pytest.mark.parametrize(("exact", "rounded"), ROUNDED)
def test_round_half_up(exact, rounded):
    assert round_half_up(Fraction(exact)) == rounded


PERIODS = [
    # anchor        interval  at            start         end
    ("2026-01-31", "month", "2026-01-31", "2026-01-31", "2026-02-28"),
    ("2026-01-31", "month", "2026-02-27", "2026-01-31", "2026-02-28"),
    ("2026-01-31", "month", "2026-02-28", "2026-02-28", "2026-03-31"),
    ("2026-01-31", "month", "2026-03-30", "2026-02-28", "2026-03-31"),
    ("2026-01-31", "month", "2026-03-31", "2026-03-31", "2026-04-30"),
    ("2026-01-31", "month", "2028-02-29", "2028-02-29", "2028-03-31"),
    ("2026-01-15", "month", "2025-12-31", "2025-12-15", "2026-01-15"),  # before the anchor too
    ("2028-02-29", "year",  "2028-02-29", "2028-02-29", "2029-02-28"),
    ("2028-02-29", "year",  "2029-02-28", "2029-02-28", "2030-02-28"),
    ("2028-02-29", "year",  "2032-02-28", "2031-02-28", "2032-02-29"),
    ("2028-02-29", "year",  "2032-02-29", "2032-02-29", "2033-02-28"),
    ("2026-12-31", "month", "2027-01-01", "2026-12-31", "2027-01-31"),
]  # fmt: skip


@pytest.mark.parametrize(("anchor", "interval", "at", "start", "end"), PERIODS)
def test_period_containing(anchor, interval, at, start, end):
    assert period_containing(day(anchor), interval, day(at)) == (day(start), day(end))


@given(
    anchor=st.datetimes(datetime(2020, 1, 1), datetime(2032, 12, 31)),
    days=st.integers(-3000, 3000),
    interval=st.sampled_from(["month", "year"]),
)
def test_periods_follow_each_other_without_a_gap(anchor, days, interval):
    anchor = anchor.replace(tzinfo=UTC)

    start, end = period_containing(anchor, interval, anchor + timedelta(days=days))

    assert start <= anchor + timedelta(days=days) < end
    assert period_containing(anchor, interval, end)[0] == end
    assert period_containing(anchor, interval, start - timedelta(seconds=1))[1] == start
