"""A part of Gather: what was charged to no avail, and what can be charged, for a batch of accounts."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from billing.models.invoices import PaymentAttempt
from billing.models.methods import PaymentMethod
from billing.models.reversals import Dispute
from billing.payments.attempts import NOT_ATTEMPTED
from billing.payments.authorised import changed_at, is_authorised, with_mandates
from billing.payments.candidates import FAILED
from billing.payments.declines import CAP_PERIOD, CAP_TRIES, classify

from .facts import Failure, Method

STRIPES = PaymentAttempt.Source.STRIPE.value


@dataclass(frozen=True, slots=True)
class Tried:
    """
    The charges by ourselves that failed, by owed invoice, with who made them and the method of each; and how often each
    card was tried lately, for any invoice.
    """

    failures: dict[str, list[Failure]] = field(default_factory=lambda: defaultdict(list))
    made_by: dict[str, list[tuple[str, str | None]]] = field(default_factory=lambda: defaultdict(list))
    of_card: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def has_untried(self, invoice_id: str, methods: Sequence[Method]) -> bool:
        """Whether nobody but Stripe has charged the invoice, and a method is left that it did not try."""
        made = self.made_by.get(invoice_id, [])
        tried = {method_id for _, method_id in made}
        if not made or None in tried or any(source != STRIPES for source, _ in made):
            return False
        return any(method.is_usable and method.id not in tried for method in methods)


def what_was_tried(account_ids: Sequence[str], owed_ids: Sequence[str], now: datetime) -> Tried:
    """
    Return the charges that failed. One statement.

    What a customer tried who was here counts for the card, and not on the schedule.
    """
    rows = (
        PaymentAttempt.objects.filter(account__in=account_ids, status__in=FAILED)
        .filter(Q(started_at__gt=now - CAP_PERIOD) | Q(invoice__in=owed_ids))
        .exclude(code=NOT_ATTEMPTED)
        .order_by("started_at", "pk")
        .values(
            "account_id", "invoice_id", "started_at", "code", "advice_code", "on_session", "source", "method_id",
            "method__brand", "method__last4",
        )
    )  # fmt: skip
    tried = Tried()
    for row in rows:
        if row["method_id"] is not None and row["started_at"] > now - CAP_PERIOD:
            tried.of_card[row["account_id"], row["method__brand"], row["method__last4"]] += 1
        if not row["on_session"]:
            failure = Failure(row["started_at"], classify(row["code"], row["advice_code"]))
            tried.failures[row["invoice_id"]].append(failure)
            tried.made_by[row["invoice_id"]].append((row["source"], row["method_id"]))
    return tried


def what_can_be_charged(account_ids: Sequence[str], tried: Tried) -> dict[str, list[Method]]:
    """Return what automatic collection may charge, as `billing/payments/choose.py` has it. One statement."""
    disputed = Dispute.objects.filter(charge__attempt__method=OuterRef("pk")).exclude(
        status__in=["won", "warning_closed"]
    )
    stored = PaymentMethod.objects.filter(
        account__in=account_ids, processor=PaymentMethod.Processor.STRIPE, deleted_at__isnull=True
    )
    rows = with_mandates(stored).annotate(is_disputed=Exists(disputed)).order_by("pk")
    found: dict[str, list[Method]] = defaultdict(list)
    for row in rows:
        is_worn = tried.of_card[row.account_id, row.brand, row.last4] >= CAP_TRIES
        is_usable = row.is_usable and is_authorised(row) and not row.is_disputed and not is_worn
        found[row.account_id].append(Method(row.pk, is_usable, max(row.created_at, changed_at(row) or row.created_at)))
    return found
