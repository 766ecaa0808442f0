"""The internal clock's way to let credit pay before money does: on many invoices, in few statements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection

from accounts import journal
from accounts.lock import holds_lock
from accounts.models import new_id

from ..changes_calculator.credited import DESCRIPTION
from ..models.credits import Credit
from . import credits as customer_credits
from . import ledger, postings
from .record_cycles import MadeInvoice
from .spending import Spendable, spend
from .states import InvoiceStatus


@dataclass(frozen=True, slots=True)
class Part:
    """What of one credit pays for one invoice, in minor units."""

    id: str
    credit: Credit
    invoice: MadeInvoice
    amount_minor: int


# The credits, what used them, the line below zero, and what is left to pay. What is paid by credit alone is paid.
_SPEND = """
WITH part AS (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[]) AS part(id, credit_id, invoice_id, minor)
), spent AS (
    UPDATE credit SET remaining_minor = remaining_minor - sum.minor
    FROM (SELECT credit_id, sum(minor)::bigint AS minor FROM part GROUP BY credit_id) AS sum
    WHERE credit.id = sum.credit_id
), used AS (
    INSERT INTO credit_use (id, credit_id, account_id, invoice_id, amount_minor, given_back_minor, status, reserved_at)
    SELECT part.id, part.credit_id, credit.account_id, part.invoice_id, minor, 0, 'used', %s
    FROM part JOIN credit ON credit.id = part.credit_id
), paid AS (
    SELECT invoice_id, sum(minor)::bigint AS minor FROM part GROUP BY invoice_id
), line AS (
    INSERT INTO invoice_line (invoice_id, stripe_line_id, description, price_id, quantity, unit_amount_minor,
        amount_minor, in_advance, period_start, period_end)
    SELECT invoice.id, '', %s, '', 1, -minor, -minor, TRUE, period_start, period_end
    FROM paid JOIN invoice ON invoice.id = paid.invoice_id
    ORDER BY invoice.id
)
UPDATE invoice SET subtotal_minor = subtotal_minor - minor, total_minor = total_minor - minor,
    status = CASE WHEN total_minor = minor THEN 'paid' ELSE status END,
    paid_at = CASE WHEN total_minor = minor THEN %s ELSE paid_at END
FROM paid WHERE invoice.id = paid.invoice_id
"""


def pay_by_credit(made: Sequence[MadeInvoice], *, now: datetime) -> tuple[list[MadeInvoice], list[journal.Fact]]:
    """
    Spend what credit there is on invoices that were just made, the oldest expiry first, never more than they come to.

    Return them all as they then are, and the facts for the caller to journal. In the transaction that made them, under
    the locks of all accounts. Nothing is asked if nobody has credit; else the statements do not grow with the invoices.
    """
    parts = _parts(made, now=now)
    if not parts:
        return list(made), []
    for part in parts:
        assert holds_lock(part.invoice.account_id)
    columns = (
        [part.id for part in parts],
        [part.credit.pk for part in parts],
        [part.invoice.id for part in parts],
        [part.amount_minor for part in parts],
    )
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, [*columns, now, DESCRIPTION, now])
    ledger.post_many(
        [(part.invoice, postings.credit_used(part.id, amount_minor=part.amount_minor)) for part in parts], at=now
    )
    facts = [
        customer_credits.fact_of("credit.used", part.credit, part.amount_minor, cause=part.invoice.id) for part in parts
    ]
    paid_minor: dict[str, int] = defaultdict(int)
    for part in parts:
        paid_minor[part.invoice.id] += part.amount_minor
    return [_less(invoice, paid_minor.get(invoice.id, 0)) for invoice in made], facts


def _parts(made: Sequence[MadeInvoice], *, now: datetime) -> list[Part]:
    """Say what pays for what; of an account with several invoices the first takes what it needs. One statement."""
    asking = [invoice for invoice in made if invoice.has_credit and invoice.total_minor > 0]
    if not asking:
        return []
    rows = customer_credits.left(at=now).filter(account__in={invoice.account_id for invoice in asking})
    credits_by_id = {row.pk: row for row in rows}
    there: dict[str, list[Spendable]] = defaultdict(list)
    for row in credits_by_id.values():
        there[row.account_id].append(customer_credits.as_spendable(row))
    parts = []
    for invoice in asking:
        spent = dict(spend(invoice.total_minor, there[invoice.account_id], currency=invoice.currency))
        parts += [Part(new_id(), credits_by_id[pk], invoice, minor) for pk, minor in spent.items()]
        there[invoice.account_id] = [
            replace(each, available_minor=each.available_minor - spent.get(each.id, 0))
            for each in there[invoice.account_id]
        ]
    return parts


def _less(invoice: MadeInvoice, paid_minor: int) -> MadeInvoice:
    left_minor = invoice.total_minor - paid_minor
    status = InvoiceStatus.PAID.value if left_minor == 0 else invoice.status
    return replace(invoice, total_minor=left_minor, status=status)
