"""
How long does the brain take to look at everybody, next to reading what it must read?

    python -m bench.dunning_sweep [--accounts N] [--owing PERCENT]

Prints one JSON line. `full` gathers, decides and compares every account, in batches, and writes nothing. `reading`
sends the very same statements again in the same run, takes their rows as tuples and throws them away: what is above
that is ours. Memory is the process's peak after a quarter of the accounts and at the end.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

GOAL = "reading / full >= 0.4, memory flat"
CHUNK = 5000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--owing", type=int, default=5, help="percent of the accounts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paygo-bench-") as name:
        Path(name).chmod(0o755)
        os.environ["PAYGO_DATA_DIR"], os.environ["DJANGO_SETTINGS_MODULE"] = name, "config.settings"
        from config.joining import join_parts

        join_parts(["bench", "advance"])
        import django

        django.setup()
        print(json.dumps({"bench": "dunning_sweep", **measure(options.accounts, options.owing), "goal": GOAL}))
    sys.stdout.flush()


def measure(accounts: int, owing: int) -> dict[str, Any]:
    """Make the accounts, look at all of them, then read again what that read."""
    from django.db import connection

    from config import clock
    from dunning.due import examine_everybody

    now = clock.now()
    make(accounts, owing, now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    looked = changes = 0
    quarter_kb = 0
    begun_at = time.perf_counter()
    with connection.execute_wrapper(note):
        for batch in examine_everybody(now=now):
            looked += len(batch)
            changes += sum(bool(examined.needed) for examined in batch)
            if not quarter_kb and looked * 4 >= accounts:
                quarter_kb = peak_kb()
    full_seconds = time.perf_counter() - begun_at
    end_kb = peak_kb()

    begun_at = time.perf_counter()
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(sql, params)
            cursor.fetchall()
    reading_seconds = time.perf_counter() - begun_at
    return {
        "accounts": looked,
        "owing_percent": owing,
        "would_change": changes,
        "statements": len(statements),
        "full_seconds": round(full_seconds, 2),
        "reading_seconds": round(reading_seconds, 2),
        "accounts_per_second": round(looked / full_seconds),
        "reading_over_full": round(reading_seconds / full_seconds, 3),
        "peak_mb_at_a_quarter": quarter_kb // 1024,
        "peak_mb_at_the_end": end_kb // 1024,
    }


def peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def make(accounts: int, owing: int, now: Any) -> None:
    """Write so many accounts, each with a card, and an open invoice that was declined twice for those that owe."""
    from accounts.models import Account, Customer, SubsAccount, new_id
    from billing.models.invoices import Invoice, PaymentAttempt
    from billing.models.methods import PaymentMethod

    ids = iter([new_id() for _ in range(accounts)])
    while chunk := list(islice(ids, CHUNK)):
        Account.objects.bulk_create(Account(id=key, name=key[:8], created_at=now) for key in chunk)
        SubsAccount.objects.bulk_create(SubsAccount(account_id=key, email=f"{key[:12]}@example.com") for key in chunk)
        Customer.objects.bulk_create(Customer(account_id=key, stripe_customer_id=f"cus_{key[:14]}") for key in chunk)
        methods = PaymentMethod.objects.bulk_create(
            PaymentMethod(
                account_id=key, processor="stripe", processor_id=f"pm_{key[:20]}", kind="card", brand="visa",
                last4="4242", is_default=True, created_at=now - timedelta(days=40),
            )
            for key in chunk
        )  # fmt: skip
        owes = [method for number, method in enumerate(methods) if number % 100 < owing]
        invoices = Invoice.objects.bulk_create(
            Invoice(
                account_id=method.account_id, number=f"PG-{method.account_id[:10]}", status="open", reason="cycle",
                stripe_invoice_id=f"in_{method.account_id[:20]}", currency="usd", subtotal_minor=25_00,
                total_minor=25_00, period_start=now - timedelta(days=2), period_end=now + timedelta(days=28),
                created_at=now - timedelta(days=2), finalized_at=now - timedelta(days=2),
                collection_failed="insufficient_funds",
            )
            for method in owes
        )  # fmt: skip
        PaymentAttempt.objects.bulk_create(
            PaymentAttempt(
                account_id=method.account_id, invoice=invoice, method=method, status="failed", on_session=False,
                amount_minor=25_00, currency="usd", code="insufficient_funds",
                started_at=now - timedelta(days=days), finished_at=now - timedelta(days=days),
            )
            for method, invoice in zip(owes, invoices, strict=True)
            for days in (2, 1)
        )  # fmt: skip


if __name__ == "__main__":
    main()
