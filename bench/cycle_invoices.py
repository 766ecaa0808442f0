"""
What does the internal clock cost beside the least that PostgreSQL can do?

    python -m bench.cycle_invoices --accounts 100000

Bills one period of so many contracts of two lines each, by `run_billing`'s own road, in batches; then the same rows
(invoices, lines, ledger, journal, deliveries, due times) by a single statement over as many other accounts. The two
take turns in parts, so that a busy machine is busy for both. Prints one JSON line; `ratio` is the statement's time by
ours.
"""

import argparse
import json
import os
import time
from datetime import UTC, datetime

from .ground import ground

SINCE = datetime(2026, 1, 31, 10, tzinfo=UTC)

_SEED = """
WITH fresh AS (
    SELECT md5('%(side)s' || n) AS id FROM generate_series(%(first)s, %(last)s) AS n
), made AS (
    INSERT INTO account (id, name, type, created_at) SELECT id, 'bench', 'standard', %(since)s FROM fresh
), profile AS (
    INSERT INTO subs_account (account_id, email, account_type, flags, banned_rule%(more_columns)s)
    SELECT id, 'bench@example.com', 'enterprise', 0, ''%(more_values)s FROM fresh
), clock AS (
    INSERT INTO billing_schedule (id, account_id, interval, anchor_at, next_at, owner, stripe_subscription_id)
    SELECT md5('clock' || id), id, 'month', %(since)s, %(since)s, 'internal', '' FROM fresh
), due AS (
    INSERT INTO billing_schedule_due (schedule_id, next_at, attempts, lease_backend)
    SELECT md5('clock' || id), %(due)s, 0, '' FROM fresh
)
INSERT INTO subs_object_products_element (id, account_id, object_kind, object_id, product, kind, subscription_id,
    value_phases, license_source_id, created_date)
SELECT md5(id || slot), id, 'account', id, slot, 'enum', md5(id || 'subscription'),
    jsonb_build_array(jsonb_build_object('value', 'business', 'rank', 2, 'rate_plan_id', 'business', 'price_id', 'b',
        'stripe_price_id', '', 'interval', 'month', 'unit_amount_minor', 30000, 'billed_quantity', 1,
        'amount_minor', 30000, 'currency', 'usd', 'from', %(since)s, 'until', NULL)),
    'CONTRACT:CONTRACT', %(since)s
FROM fresh CROSS JOIN (VALUES ('plan'), ('addon')) AS slots(slot)
"""

_ONE_STATEMENT = """
WITH period AS (
    SELECT md5('invoice' || account.id) AS invoice_id, account.id AS account_id, clock.id AS schedule_id,
        clock.next_at AS starts_at, clock.next_at + interval '28 days' AS ends_at
    FROM account JOIN billing_schedule clock ON clock.account_id = account.id
    WHERE account.id IN (SELECT md5('theirs' || n) FROM generate_series(%(first)s, %(last)s) AS n)
), line AS (
    SELECT period.*, ope.id AS ope_id, ope.product, value_phases->0 AS phase,
        (value_phases->0->>'amount_minor')::bigint AS minor
    FROM period JOIN subs_object_products_element ope USING (account_id)
), total AS (
    SELECT invoice_id, sum(minor)::bigint AS minor FROM line GROUP BY invoice_id
), made AS (
    INSERT INTO invoice (id, account_id, schedule_id, number, stripe_invoice_id, status, reason, currency,
        subtotal_minor, tax_minor, total_minor, paid_minor, period_start, period_end, created_at, finalized_at,
        finalization_failed, collection_failed)
    SELECT invoice_id, account_id, schedule_id, 'PG-' || lpad(nextval('invoice_number')::text, 9, '0'), '', 'open',
        'cycle', 'usd', minor, 0, minor, 0, starts_at, ends_at, %(now)s, %(now)s, '', ''
    FROM period JOIN total USING (invoice_id)
), lines AS (
    INSERT INTO invoice_line (invoice_id, ope_id, stripe_line_id, description, price_id, quantity, unit_amount_minor,
        amount_minor, in_advance, period_start, period_end)
    SELECT invoice_id, ope_id, '', phase->>'rate_plan_id', phase->>'price_id', 1, minor, minor, TRUE, starts_at, ends_at
    FROM line
), fact AS (
    INSERT INTO ledger_transaction (id, account_id, kind, source, invoice_id, posted_at)
    SELECT md5('fact' || invoice_id), account_id, 'finalized', 'finalized:' || invoice_id, invoice_id, %(now)s
    FROM period
), entries AS (
    INSERT INTO ledger_entry (transaction_id, account_id, book, amount_minor, currency)
    SELECT md5('fact' || invoice_id), account_id, book, sign * minor, 'usd'
    FROM period JOIN total USING (invoice_id) CROSS JOIN (VALUES ('receivable', 1), ('revenue', -1)) AS side(book, sign)
), clock AS (
    UPDATE billing_schedule SET next_at = ends_at FROM period WHERE id = schedule_id
), due AS (
    UPDATE billing_schedule_due due SET next_at = ends_at FROM period WHERE due.schedule_id = period.schedule_id
), entry AS (
    INSERT INTO journal_entry (account_id, sequence, kind, actor, reason, cause, before, after, correlation_id, at,
        recorded_at)
    SELECT account_id, 1 + coalesce((SELECT max(sequence) FROM journal_entry past
            WHERE past.account_id = period.account_id), 0), 'invoice.recorded', 'system:billing', '', schedule_id, '{}',
        jsonb_build_object('invoice_id', invoice_id, 'status', 'open', 'total_minor', minor, 'currency', 'usd'), '',
        %(now)s, now()
    FROM period JOIN total USING (invoice_id)
    RETURNING id, account_id
)
INSERT INTO journal_delivery (entry_id, account_id, consumer, next_at, attempts, lease_backend)
SELECT id, account_id, consumer, %(now)s, 0, '' FROM entry CROSS JOIN unnest(%(told)s::text[]) AS consumer
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--parts", type=int, default=5, help="how often the two take turns")
    accounts, parts = (options := parser.parse_args()).accounts, options.parts
    with ground() as environment:
        os.environ.update(environment)
        import django

        django.setup()
        print(json.dumps(_measure(accounts, parts)))


def _measure(accounts: int, parts: int) -> dict[str, object]:
    from django.db import connection, transaction

    from accounts.journal import KINDS
    from billing.invoicing.internal_clock import BATCH, bill_batch

    far = datetime(2027, 1, 1, tzinfo=UTC)
    size = accounts // parts
    ours_seconds = theirs_seconds = 0.0
    invoices = batches = 0
    with connection.cursor() as cursor:
        for side, due in (("ours", SINCE), ("theirs", far)):
            cursor.execute(_SEED % _literals(side, 1, size * parts, due))
        cursor.execute("ANALYZE")
        told = [consumer.value for consumer in KINDS["invoice.recorded"].told]
        for part in range(parts):
            began = time.perf_counter()
            done = 0
            while done < size:
                billed = bill_batch(until=SINCE, now=SINCE, limit=min(BATCH, size - done))
                done, invoices, batches = done + billed.schedules, invoices + billed.invoices, batches + 1
            ours_seconds += time.perf_counter() - began
            values = {"first": part * size + 1, "last": (part + 1) * size, "now": SINCE, "told": told}
            began = time.perf_counter()
            with transaction.atomic():
                cursor.execute(_ONE_STATEMENT, values)
            theirs_seconds += time.perf_counter() - began
        cursor.execute("SELECT count(*) FROM invoice")
        (rows,) = cursor.fetchone()
    assert (invoices, rows) == (size * parts, 2 * size * parts)
    return {
        "bench": "cycle_invoices",
        "accounts": size * parts,
        "ratio": round(theirs_seconds / ours_seconds, 2),
        "ours_seconds": round(ours_seconds, 2),
        "statement_seconds": round(theirs_seconds, 2),
        "ours_microseconds_per_invoice": round(ours_seconds / invoices * 1e6, 1),
        "batches": batches,
    }


def _literals(side: str, first: int, last: int, due: datetime) -> dict[str, object]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'subs_account'"
            " AND is_nullable = 'NO' AND column_default IS NULL AND column_name NOT IN"
            " ('account_id', 'email', 'account_type', 'flags', 'banned_rule')"
        )
        more = [name for (name,) in cursor.fetchall()]
    return {
        "side": side,
        "first": first,
        "last": last,
        "since": f"'{SINCE.isoformat()}'",
        "due": f"'{due.isoformat()}'",
        "more_columns": "".join(f", {name}" for name in more),
        "more_values": ", ''" * len(more),
    }


if __name__ == "__main__":
    main()
