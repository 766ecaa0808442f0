"""The only writer of payment attempts."""

from datetime import datetime

from accounts.lock import holds_lock

from ..models.invoices import Invoice, PaymentAttempt


def record_paid_purchase(
    invoice: Invoice, *, method_id: str, payment_intent_id: str, on_session: bool, started_at: datetime
) -> PaymentAttempt:
    """
    Write the attempt that paid a purchase, with its commit. One statement.

    Until then the workflow was the row that stood for the call: nothing of a purchase that fails is kept here.
    """
    assert holds_lock(invoice.account_id)
    return PaymentAttempt.objects.create(
        account_id=invoice.account_id,
        invoice=invoice,
        method_id=method_id or None,
        status=PaymentAttempt.Status.SUCCEEDED,
        on_session=on_session,
        amount_minor=invoice.paid_minor,
        currency=invoice.currency,
        stripe_payment_intent_id=payment_intent_id,
        started_at=started_at,
        finished_at=invoice.paid_at,
    )
