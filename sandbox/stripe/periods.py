"""Billing periods: period n of an anchor, and which share of a period a stretch of time is. Pure."""

import calendar
from datetime import UTC, datetime, timedelta
from fractions import Fraction

DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}


def period_start(anchor: int, interval: str, interval_count: int, number: int, anchor_day: int | None = None) -> int:
    """
    Return where period `number` of an anchor starts (Unix seconds, UTC).

    Counted from the anchor each time, never from the period before, so the 31st is the 28th in February and the
    31st again in March. `anchor_day` is the day meant when the anchor itself fell into a short month.
    """
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in DAYS:
        return int((start + timedelta(days=DAYS[interval] * interval_count * number)).timestamp())
    months = start.year * 12 + start.month - 1 + MONTHS[interval] * interval_count * number
    year, month = divmod(months, 12)
    last_day = calendar.monthrange(year, month + 1)[1]
    return int(start.replace(year=year, month=month + 1, day=min(anchor_day or start.day, last_day)).timestamp())


def period_around(
    moment: int, anchor: int, interval: str, interval_count: int, anchor_day: int | None = None
) -> tuple[int, int]:
    """Return the half-open period [start, end) of an anchor that holds a moment; the anchor may lie in the future."""
    longest_days = (DAYS.get(interval) or 31 * MONTHS[interval]) * interval_count
    # A guess that is never far off, then steps of one period.
    number = (moment - anchor) // (longest_days * 86_400)
    while period_start(anchor, interval, interval_count, number + 1, anchor_day) <= moment:
        number += 1
    while period_start(anchor, interval, interval_count, number, anchor_day) > moment:
        number -= 1
    return (
        period_start(anchor, interval, interval_count, number, anchor_day),
        period_start(anchor, interval, interval_count, number + 1, anchor_day),
    )


def prorated(amount: Fraction, start: int, end: int, *, period: tuple[int, int]) -> int:
    """
    Return what [start, end) costs of an amount for a whole period, in whole minor units.

    Exact to the second; the denominator is the whole period, never a clipped one; rounded half-up (away from zero
    for credits, so that a credit mirrors its charge) once, here.
    """
    return rounded_half_up(amount * Fraction(end - start, period[1] - period[0]))


def rounded_half_up(amount: Fraction) -> int:
    """Return the nearest whole number; a half goes away from zero."""
    whole = (abs(amount) + Fraction(1, 2)).__floor__()
    return whole if amount >= 0 else -whole
