"""A part of Gather: what was charged to no avail, and what can be charged, for a batch of accounts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q

from billing.models.invoices import PaymentAttempt
from billing.models.methods import PaymentMethod
from billing.models.reversals import Dispute
from billing.payments.attempts import NOT_ATTEMPTED
from billing.payments.authorised import changed_at, is_authorised, with_mandates
from billing.payments.declines import classify
from billing.payments.tries import FAILED, methods_of_tired_cards

from .facts import Failure, Method

STRIPES = PaymentAttempt.Source.STRIPE.value


@dataclass(frozen=True, slots=True)
class Tried:
    """
    The charges by ourselves that failed, by owed invoice, with who made them and the method of each.
    """

    failures: dict[str, list[Failure]] = field(default_factory=lambda: defaultdict(list))
    made_by: dict[str, list[tuple[str, str | None]]] = field(default_factory=lambda: defaultdict(list))

    def has_untried(self, invoice_id: str, methods: Sequence[Method]) -> bool:
        """Whether nobody but Stripe has charged the invoice, and a method is left that it did not try."""
        made = self.made_by.get(invoice_id, [])
        tried = {method_id for _, method_id in made}
        if not made or None in tried or any(source != STRIPES for source, _ in made):
            return False
        return any(method.is_usable and method.id not in tried for method in methods)


def what_was_tried(owed_ids: Sequence[str]) -> Tried:
    """
    Return the charges that failed. One statement.

    What a customer tried who was here is not on the schedule.
    """
    rows = (
        PaymentAttempt.objects.filter(invoice__in=owed_ids, status__in=FAILED, on_session=False)
        .exclude(code=NOT_ATTEMPTED)
        .order_by("started_at", "pk")
        .values("invoice_id", "started_at", "code", "advice_code", "source", "method_id")
    )
    tried = Tried()
    for row in rows:
        failure = Failure(row["started_at"], classify(row["code"], row["advice_code"]))
        tried.failures[row["invoice_id"]].append(failure)
        tried.made_by[row["invoice_id"]].append((row["source"], row["method_id"]))
    return tried


def what_can_be_charged(account_ids: Sequence[str], now: datetime) -> dict[str, list[Method]]:
    """Return what automatic collection may charge, as `billing/payments/choose.py` has it. One statement."""
    disputed = Dispute.objects.filter(charge__attempt__method=OuterRef("pk")).exclude(
        status__in=["won", "warning_closed"]
    )
    stored = PaymentMethod.objects.filter(
        account__in=account_ids, processor=PaymentMethod.Processor.STRIPE, deleted_at__isnull=True
    )
    is_tired = ExpressionWrapper(Q(pk__in=methods_of_tired_cards(account_ids, now=now)), output_field=BooleanField())
    rows = with_mandates(stored).annotate(is_disputed=Exists(disputed), is_tired=is_tired).order_by("pk")
    found: dict[str, list[Method]] = defaultdict(list)
    for row in rows:
        is_usable = row.is_usable and is_authorised(row) and not row.is_disputed and not row.is_tired
        found[row.account_id].append(Method(row.pk, is_usable, max(row.created_at, changed_at(row) or row.created_at)))
    return found
