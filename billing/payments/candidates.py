"""What automatic collection and the customer may charge an invoice to: read for `choose.py`."""

from collections import Counter
from datetime import datetime

from ..invoicing.disputes import disputed_method_ids
from ..models.invoices import Invoice, PaymentAttempt
from ..models.methods import PaymentMethod
from .attempts import NOT_ATTEMPTED
from .authorised import changed_at, is_authorised, with_mandates
from .choose import Candidate, LastTry
from .declines import CAP_PERIOD

FAILED = (PaymentAttempt.Status.FAILED, PaymentAttempt.Status.ACTION_REQUIRED)


def candidates(invoice: Invoice, *, now: datetime) -> tuple[Candidate, ...]:
    """Return the account's stored methods as candidates for this invoice. Three statements."""
    stored = list(
        with_mandates(
            PaymentMethod.objects.filter(
                account=invoice.account_id, processor=PaymentMethod.Processor.STRIPE, deleted_at__isnull=True
            )
        )
    )
    failed = list(
        PaymentAttempt.objects.filter(account=invoice.account_id, status__in=FAILED, started_at__gt=now - CAP_PERIOD)
        .exclude(code=NOT_ATTEMPTED)
        .select_related("method")
        .order_by("started_at")
    )
    disputed = disputed_method_ids(invoice.account_id)
    # A card that was stored twice is still one card to its network.
    tries = Counter((attempt.method.brand, attempt.method.last4) for attempt in failed if attempt.method)
    last = {attempt.method_id: attempt for attempt in failed if attempt.invoice_id == invoice.pk}
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
