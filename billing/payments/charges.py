"""The only writer of charges: money that a processor took for an invoice, and what of it went back."""

from datetime import datetime

from django.db.models import F

from accounts.lock import holds_lock

from ..models.invoices import PaymentAttempt
from ..models.reversals import Charge


class PaymentUnknown(Exception):
    """What a processor tells of a payment came before the payment itself. Ask again: nothing was written."""


def record(attempt: PaymentAttempt, *, at: datetime) -> None:
    """Write the charge of an attempt that succeeded; one that is there stays. The caller journals the attempt."""
    assert holds_lock(attempt.account_id)
    charge = Charge(
        account_id=attempt.account_id,
        attempt=attempt,
        invoice_id=attempt.invoice_id,
        processor_payment_id=attempt.stripe_payment_intent_id,
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        charged_at=at,
    )
    Charge.objects.bulk_create([charge], ignore_conflicts=True)


def note_refunded(charge: Charge, *, by_minor: int) -> None:
    """Write that so much more of a charge went back (or came back here, negative). The caller journals why."""
    assert holds_lock(charge.account_id)
    Charge.objects.filter(pk=charge.pk).update(refunded_minor=F("refunded_minor") + by_minor)
    charge.refresh_from_db(fields=["refunded_minor"])


def note_processor_charge(charge: Charge, processor_charge_id: str) -> None:
    """Write what the processor calls a charge, once it is known; the caller journals where it was learnt from."""
    assert holds_lock(charge.account_id)
    Charge.objects.filter(pk=charge.pk, processor_charge_id="").update(processor_charge_id=processor_charge_id)


def find(account_id: str, *, payment_id: str, charge_id: str) -> Charge:
    """
    Return the charge that a processor means by either id.

    :raises PaymentUnknown: the account has no such charge, or none yet: news of a payment come in any order.
    """
    charges = Charge.objects.filter(account=account_id).select_related("invoice", "attempt")
    found = charges.filter(processor_payment_id=payment_id).first() if payment_id else None
    if found is None and charge_id:
        found = charges.filter(processor_charge_id=charge_id).first()
    if found is None:
        raise PaymentUnknown(f"payment {payment_id}, charge {charge_id}")
    return found
