"""
Debt that older accounts have in Stripe's metadata alone becomes what the invoices themselves ask for.

`bad_debt_amount` on an invoice said what was really owed, less than the invoice shows; `bad_debt_paid` that it was paid
on an invoice of another kind. Credit notes say so now. Nothing is charged, and nobody owes more than before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import QuerySet

from billing.cfstripe import invoices
from billing.cfstripe.errors import StripeRefused, StripeUnavailable
from billing.invoicing.acts import InvoiceActRefused
from billing.invoicing.resolve import credit_invoice
from billing.invoicing.states import InvoiceStatus
from billing.models.invoices import Invoice

MEMO = "Time that was not used is not owed"
PAID_MEMO = "Paid with another invoice"
ACTOR = "system:migrate_bad_debt"
PAGE = 500


@dataclass(frozen=True, slots=True)
class Migrated:
    """What one invoice's metadata ask for. `code`: why it can't be done, empty if it was (or, dry, could be)."""

    invoice_id: str
    account_id: str
    currency: str
    asks_for_minor: int
    owed_minor: int
    code: str = ""

    @property
    def credit_minor(self) -> int:
        return self.asks_for_minor - self.owed_minor


def migrate(*, is_dry: bool, now: datetime) -> Iterator[Migrated]:
    """
    Yield each invoice that asks for more than its metadata say, after crediting the difference unless it is dry.

    One call to Stripe for each invoice that is owed. Stop it anywhere and run it again: one that says the same as its
    metadata is not touched. By pages, in the order of their ids. Not in a transaction.
    """
    for invoice in _pages():
        try:
            metadata = invoices.retrieve(invoice.stripe_invoice_id).get("metadata") or {}
        except StripeUnavailable:
            yield _found(invoice, invoice.remaining_minor, code="processor_unavailable")
            continue
        except StripeRefused:  # one that Stripe does not know stops no other
            yield _found(invoice, invoice.remaining_minor, code="refused_by_processor")
            continue
        if "bad_debt_amount" not in metadata:
            continue
        owed_minor = owed_by(metadata)
        if owed_minor is None:
            yield _found(invoice, invoice.remaining_minor, code="unreadable_amount")
        elif owed_minor < invoice.remaining_minor:
            found = _found(invoice, owed_minor)
            yield found if is_dry else _credited(invoice, found, metadata, now=now)


def owed_by(metadata: dict[str, Any]) -> int | None:
    """Return what metadata say is owed, in minor units (`32.26` is 3226, `3226` too); None: it can't be read."""
    if is_yes(metadata.get("bad_debt_paid")):
        return 0
    text = str(metadata.get("bad_debt_amount", "")).strip()
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    minor = amount * 100 if "." in text else amount
    return int(minor) if minor.is_finite() and minor >= 0 and minor == int(minor) else None


def is_yes(value: object) -> bool:
    return str(value).lower() in ("true", "1", "yes")


def how_many() -> int:
    """Return how many invoices are asked for, for a progress bar. One statement."""
    return _owed().count()


def _pages() -> Iterator[Invoice]:
    last = ""
    while page := list(_owed().filter(pk__gt=last).order_by("pk")[:PAGE]):
        yield from page
        last = page[-1].pk


def _owed() -> QuerySet[Invoice]:
    owed = (InvoiceStatus.OPEN.value, InvoiceStatus.UNCOLLECTIBLE.value)
    return Invoice.objects.filter(status__in=owed).exclude(stripe_invoice_id="")


def _found(invoice: Invoice, owed_minor: int, *, code: str = "") -> Migrated:
    return Migrated(
        invoice.pk, invoice.account_id, invoice.currency, invoice.remaining_minor, owed_minor, code
    )  # fmt: skip


def _credited(invoice: Invoice, found: Migrated, metadata: dict[str, Any], *, now: datetime) -> Migrated:
    memo = PAID_MEMO if is_yes(metadata.get("bad_debt_paid")) else MEMO
    try:
        act = credit_invoice(
            invoice.pk, amount_minor=found.credit_minor, memo=memo, actor=ACTOR, reason="debt of its metadata", now=now
        )
    except InvoiceActRefused:
        return _found(invoice, found.owed_minor, code="busy")
    except StripeUnavailable:
        return _found(invoice, found.owed_minor, code="processor_unavailable")
    return _found(invoice, found.owed_minor, code=act.refused_code) if act.refused_code else found
