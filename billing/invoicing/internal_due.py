"""What the internal clock would bill: counted, and nothing written."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from .record_cycles import CONTRACT_LINES

# Of a clock that is several periods behind, the first of them.
_FORECAST = f"""
WITH period AS (
    SELECT '' AS invoice_id, clock.account_id, clock.id AS schedule_id, clock.interval,
        clock.next_at AS starts_at, clock.next_at AS ends_at
    FROM billing_schedule clock JOIN billing_schedule_due due ON due.schedule_id = clock.id
    WHERE clock.owner = 'internal' AND clock.ended_at IS NULL AND due.next_at <= %s
), line AS ({CONTRACT_LINES})
SELECT (SELECT count(*) FROM period), currency, sum(amount_minor)::bigint FROM line GROUP BY currency ORDER BY currency
"""  # noqa: S608  our own text


@dataclass(frozen=True, slots=True)
class Forecast:
    """How many clocks are due, and what their next period comes to by currency."""

    clocks: int
    totals_minor: dict[str, int]


def forecast(until: datetime) -> Forecast:
    """Return what would be billed for the next period of each clock that is due by `until`. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_FORECAST, [until])
        rows = cursor.fetchall()
    return Forecast(rows[0][0] if rows else 0, {currency: minor for _, currency, minor in rows})
