"""Periods and parts of periods, exact. Pure."""

import calendar
from datetime import datetime, timedelta
from fractions import Fraction

MONTHS = {"month": 1, "year": 12}


def round_half_up(amount: Fraction) -> int:
    """Return the whole number nearest to `amount`; a half goes away from zero, so credits mirror charges."""
    doubled = 2 * abs(amount.numerator) + amount.denominator
    rounded = doubled // (2 * amount.denominator)
    return rounded if amount >= 0 else -rounded


def prorate(amount_minor: int, period_start: datetime, period_end: datetime, at: datetime) -> int:
    """
    Return the part of `amount_minor` that falls on `[at, period_end)`: the unused part, in minor units.

    The denominator is the whole period. By the second, rounded half-up once; all of it before the
    period, nothing after it.
    """
    at = min(max(at, period_start), period_end)
    unused, whole = period_end - at, period_end - period_start
    return round_half_up(Fraction(amount_minor) * Fraction(_microseconds(unused), _microseconds(whole)))


def period_containing(anchor: datetime, interval: str, at: datetime) -> tuple[datetime, datetime]:
    """
    Return the half-open period `[start, end)` of the clock anchored at `anchor` that contains `at`.

    Each boundary is counted from the anchor itself, so its day is clamped to short months and comes back:
    31 January, 28 February, 31 March; 29 February, 28 February, and 29 again in a leap year.
    """
    months = MONTHS[interval]
    n = ((at.year - anchor.year) * 12 + at.month - anchor.month) // months
    while _months_after(anchor, n * months) > at:
        n -= 1
    while _months_after(anchor, (n + 1) * months) <= at:
        n += 1
    return _months_after(anchor, n * months), _months_after(anchor, (n + 1) * months)


def _months_after(anchor: datetime, months: int) -> datetime:
    years, month = divmod(anchor.month - 1 + months, 12)
    year = anchor.year + years
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)


def _microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)
