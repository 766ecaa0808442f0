"""Is every account's ledger what its invoices and credits say, and Stripe's numbers too? One statement per question."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import structlog
from django.db import connection
from prometheus_client import Counter

logger = structlog.get_logger()

DIFFERENCES = Counter("paygo_ledger_differences_total", "What did not agree when the ledger was checked.", ["check"])
# Of one question; `manage.py check_ledger --json` has them all.
LOGGED = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree: in which check, about what, in minor units what is and what should be."""

    check: str
    account_id: str
    about: str
    is_minor: int
    should_be_minor: int


@dataclass(frozen=True, slots=True)
class Check:
    """A question: a sentence that holds when it finds nothing, and SQL for (account, about, is, should be)."""

    name: str
    sentence: str
    sql: str


_REMAINING = """
    total_minor + carried_minor - paid_minor - paid_elsewhere_minor - credited_minor - written_off_minor
"""

CHECKS = (
    Check(
        "transactions",
        "every transaction sums to zero in each currency",
        """
        SELECT max(account_id), transaction_id || ' ' || currency, sum(amount_minor), 0 FROM ledger_entry
        GROUP BY transaction_id, currency HAVING sum(amount_minor) <> 0
        """,
    ),
    Check(
        "balances",
        "each account's balance is its open and uncollectible invoices less its credits",
        f"""
        WITH owed AS (
            SELECT account_id, currency, sum({_REMAINING}) AS amount FROM invoice
            WHERE status IN ('open', 'uncollectible') GROUP BY 1, 2
        ), credits AS (
            SELECT account_id, currency, sum(remaining_minor) AS amount FROM credit GROUP BY 1, 2
        ), balance AS (
            SELECT account_id, currency, sum(amount_minor) AS amount FROM ledger_entry
            WHERE book IN ('receivable', 'customer_credit') GROUP BY 1, 2
        )
        SELECT account_id, currency, coalesce(balance.amount, 0), coalesce(owed.amount, 0) - coalesce(credits.amount, 0)
        FROM owed FULL JOIN credits USING (account_id, currency) FULL JOIN balance USING (account_id, currency)
        WHERE coalesce(balance.amount, 0) <> coalesce(owed.amount, 0) - coalesce(credits.amount, 0)
        """,  # noqa: S608  the columns are named above
    ),
    Check(
        "receivables",
        "what stands in the books for each invoice is what is left to pay of it",
        f"""
        SELECT invoice.account_id, invoice.id, coalesce(sum(entry.amount_minor), 0),
            CASE WHEN status IN ('open', 'uncollectible') THEN {_REMAINING} ELSE 0 END
        FROM invoice
        LEFT JOIN ledger_transaction fact ON fact.invoice_id = invoice.id
        LEFT JOIN ledger_entry entry ON entry.transaction_id = fact.id AND entry.book = 'receivable'
        WHERE invoice.finalized_at IS NOT NULL
        GROUP BY invoice.id
        HAVING coalesce(sum(entry.amount_minor), 0)
            <> CASE WHEN status IN ('open', 'uncollectible') THEN {_REMAINING} ELSE 0 END
        """,  # noqa: S608
    ),
    Check(
        "lines",
        "each invoice's subtotal is the sum of its rounded lines",
        """
        SELECT invoice.account_id, invoice.id, coalesce(sum(line.amount_minor), 0), invoice.subtotal_minor
        FROM invoice LEFT JOIN invoice_line line ON line.invoice_id = invoice.id
        WHERE invoice.finalized_at IS NOT NULL
        GROUP BY invoice.id HAVING coalesce(sum(line.amount_minor), 0) <> invoice.subtotal_minor
        """,
    ),
    Check(
        "refunds",
        "no payment is given back beyond what was paid, and each charge counts its refunds",
        """
        SELECT charge.account_id, charge.id, charge.refunded_minor, coalesce(sum(refund.amount_minor), 0)
        FROM charge LEFT JOIN refund
            ON refund.charge_id = charge.id AND refund.status IN ('asked', 'pending', 'succeeded')
        GROUP BY charge.id
        HAVING charge.refunded_minor <> coalesce(sum(refund.amount_minor), 0)
            OR charge.refunded_minor > charge.amount_minor
        """,
    ),
    Check(
        "reserved",
        "what is reserved of each credit is what its open uses say",
        """
        SELECT credit.account_id, credit.id, credit.reserved_minor, coalesce(sum(part.amount_minor), 0)
        FROM credit LEFT JOIN credit_use part ON part.credit_id = credit.id AND part.status = 'reserved'
        GROUP BY credit.id HAVING credit.reserved_minor <> coalesce(sum(part.amount_minor), 0)
        """,
    ),
    Check(
        "carried",
        "what stands carried forward in each account's books is what its invoices carried on and did not yet carry in",
        """
        WITH carried AS (
            SELECT account_id, currency, sum(carried_minor) AS amount FROM invoice
            WHERE status IN ('open', 'paid', 'uncollectible') GROUP BY 1, 2
        ), balance AS (
            SELECT account_id, currency, sum(amount_minor) AS amount FROM ledger_entry
            WHERE book = 'carried_forward' GROUP BY 1, 2
        )
        SELECT account_id, currency, coalesce(balance.amount, 0), -coalesce(carried.amount, 0)
        FROM carried FULL JOIN balance USING (account_id, currency)
        WHERE coalesce(balance.amount, 0) <> -coalesce(carried.amount, 0)
        """,
    ),
    Check(
        "mirror",
        "each invoice's total, what was paid of it and what was carried to it or on are Stripe's, as last seen",
        """
        SELECT account_id, about, total_minor + paid_minor + carried_minor, total + paid + carried
        FROM (
            SELECT invoice.account_id, invoice.stripe_invoice_id AS about,
                invoice.total_minor, invoice.paid_minor, invoice.carried_minor,
                (payload->>'total')::bigint AS total,
                coalesce((payload->>'amount_paid')::bigint, 0) AS paid,
                coalesce((payload->>'starting_balance')::bigint, 0)
                    - coalesce((payload->>'ending_balance')::bigint, 0) AS carried
            FROM invoice JOIN stripe_mirror mirror ON mirror.id = invoice.stripe_invoice_id
            WHERE mirror.payload->>'status' = invoice.status AND invoice.status <> 'draft'
        ) seen
        WHERE total <> total_minor OR paid <> paid_minor OR carried <> carried_minor
        """,
    ),
)


def check_ledger() -> Iterator[tuple[Check, list[Finding]]]:
    """
    Ask each question and yield it with what does not agree; nothing where all is well. Reads without locks.

    All of one question is read by one statement, so that what is being written meanwhile is seen whole or not at all.
    """
    for check in CHECKS:
        with connection.cursor() as cursor:
            cursor.execute(check.sql)
            found = [
                Finding(check.name, account_id, about, int(is_minor), int(should_be_minor))
                for account_id, about, is_minor, should_be_minor in cursor.fetchall()
            ]
        yield check, found


def report_differences() -> int:
    """Ask every question, log what does not agree and count it, and return how much that is. For every night."""
    differing = 0
    for check, found in check_ledger():
        DIFFERENCES.labels(check.name).inc(len(found))
        differing += len(found)
        for finding in found[:LOGGED]:
            logger.error("ledger.differs", **asdict(finding))
        if len(found) > LOGGED:
            logger.error("ledger.differs_more", check=check.name, count=len(found) - LOGGED)
    return differing
