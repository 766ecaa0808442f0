"""What automatic collection and the customer may charge an invoice to: read for `choose.py`."""

from datetime import datetime

from ..invoicing.disputes import disputed_method_ids
from ..models.invoices import Invoice
from ..models.methods import PaymentMethod
from .attempts import NOT_ATTEMPTED
from .authorised import changed_at, is_authorised, with_mandates
from .choose import Candidate, LastTry
from .declines import CAP_PERIOD
from .tries import FAILED, tries_of_cards


def candidates(invoice: Invoice, *, now: datetime) -> tuple[Candidate, ...]:
    """Return the account's stored methods as candidates for this invoice. Four statements."""
    stored = list(
        with_mandates(
            PaymentMethod.objects.filter(
                account=invoice.account_id, processor=PaymentMethod.Processor.STRIPE, deleted_at__isnull=True
            )
        )
    )
    failed = invoice.attempts.filter(status__in=FAILED).exclude(code=NOT_ATTEMPTED).order_by("started_at")
    disputed = disputed_method_ids(invoice.account_id)
    tries = tries_of_cards(invoice.account_id, now=now)
    last = {attempt.method_id: attempt for attempt in failed.filter(started_at__gt=now - CAP_PERIOD)}
    return tuple(
        Candidate(
            id=method.pk,
            is_usable=method.is_usable,
            is_authorised=is_authorised(method),
            is_default=method.is_default,
            created_at=method.created_at,
            updated_at=changed_at(method),
            tries_of_card=tries[method.brand, method.last4],
            last_try=LastTry(tried.started_at, tried.code, tried.advice_code)
            if (tried := last.get(method.pk))
            else None,
            is_disputed=method.pk in disputed,
        )
        for method in stored
    )
