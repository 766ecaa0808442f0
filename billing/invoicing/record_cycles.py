"""The internal clock's way to write invoices and their lines: those of many accounts in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from accounts.lock import holds_lock


@dataclass(frozen=True, slots=True)
class CyclePeriod:
    """One period `[starts_at, ends_at)` of an internal clock that is to be billed, and the id of its invoice."""

    invoice_id: str
    account_id: str
    schedule_id: str
    interval: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class MadeInvoice:
    """An invoice that the internal clock made."""

    id: str
    account_id: str
    schedule_id: str
    status: str
    total_minor: int
    currency: str
    has_credit: bool  # the account may have some to spend


# What contracts hold when a period begins, at the price it was sold at; what has not begun or has ended is not billed.
CONTRACT_LINES = """
    SELECT period.invoice_id, ope.id AS ope_id, phase, (phase->>'amount_minor')::bigint AS amount_minor,
        phase->>'currency' AS currency, ope.product, ope.kind, period.starts_at, period.ends_at
    FROM period
    JOIN subs_object_products_element ope ON ope.account_id = period.account_id
        AND ope.deleted_date IS NULL AND ope.license_source_id = 'CONTRACT:CONTRACT'
    CROSS JOIN LATERAL (SELECT CASE
        WHEN (ope.value_phases->1->>'from')::timestamptz <= period.starts_at THEN ope.value_phases->1
        ELSE ope.value_phases->0 END AS phase) AS held
    WHERE phase->>'interval' = period.interval AND (phase->>'rank')::int > 0
        AND (phase->>'from')::timestamptz <= period.starts_at
        AND coalesce((phase->>'until')::timestamptz > period.starts_at, TRUE)
"""

# A second biller of the same period finds the first one's invoice and adds nothing to it.
_RECORD_CYCLES = f"""
WITH period AS (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
        AS period(invoice_id, account_id, schedule_id, interval, starts_at, ends_at)
), line AS ({CONTRACT_LINES}), total AS (
    SELECT invoice_id, min(currency) AS currency, sum(amount_minor)::bigint AS minor FROM line GROUP BY invoice_id
), made AS (
    INSERT INTO invoice (id, account_id, schedule_id, number, stripe_invoice_id, status, reason, currency,
        subtotal_minor, tax_minor, total_minor, paid_minor, period_start, period_end, created_at, finalized_at, paid_at,
        finalization_failed, collection_failed)
    SELECT invoice_id, account_id, schedule_id, 'PG-' || lpad(nextval('invoice_number')::text, 9, '0'), '',
        CASE WHEN minor = 0 THEN 'paid' ELSE 'open' END, 'cycle', currency, minor, 0, minor, 0, starts_at, ends_at,
        %s, %s, CASE WHEN minor = 0 THEN %s::timestamptz END, '', ''
    FROM period JOIN total USING (invoice_id)
    ON CONFLICT (account_id, schedule_id, period_start, reason) WHERE reason IN ('cycle', 'threshold') DO NOTHING
    RETURNING id, account_id, schedule_id, status, total_minor, currency
), written AS (
    INSERT INTO invoice_line (invoice_id, ope_id, stripe_line_id, description, price_id, quantity, unit_amount_minor,
        amount_minor, in_advance, period_start, period_end)
    SELECT line.invoice_id, ope_id, '',
        upper(left(phase->>'rate_plan_id', 1)) || lower(replace(substr(phase->>'rate_plan_id', 2), '_', ' ')) || ' plan'
            || CASE WHEN kind = 'enum' THEN '' ELSE ': ' || replace(product, '_', ' ') END, phase->>'price_id',
        (phase->>'billed_quantity')::bigint, (phase->>'unit_amount_minor')::bigint, amount_minor, TRUE,
        starts_at, ends_at
    FROM line JOIN made ON made.id = line.invoice_id
    ORDER BY line.invoice_id, line.product
)
SELECT id, account_id, schedule_id, status, total_minor, currency, EXISTS (
    SELECT FROM credit WHERE credit.account_id = made.account_id AND ended_at IS NULL
        AND remaining_minor > reserved_minor
) FROM made
"""  # noqa: S608  our own text


def record_cycles(periods: Sequence[CyclePeriod], *, now: datetime) -> list[MadeInvoice]:
    """
    Write the finalised invoices of these periods with their lines, and return those that are new. One statement.

    A period in which nothing is held has none; one that costs nothing is paid. Under the locks of all accounts; the
    caller posts and journals.
    """
    for period in periods:
        assert holds_lock(period.account_id)
    columns = [
        [getattr(period, name) for period in periods]
        for name in ("invoice_id", "account_id", "schedule_id", "interval", "starts_at", "ends_at")
    ]
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_CYCLES, [*columns, now, now, now])
        return [MadeInvoice(*row) for row in cursor.fetchall()]
