"""What a finalised invoice asks for too much is taken off it, once; where that can't be, an operator is told."""

from datetime import datetime
from hashlib import sha256

from accounts.models import SubsStuckEvent
from accounts.stuck import open_stuck

from ..cfstripe.errors import StripeUnavailable
from ..models.invoices import Invoice
from ..models.reversals import Charge, InvoiceAct
from .acts import InvoiceActRefused
from .refunds import RefundRefused
from .resolve import credit_invoice, refund, refundable_minor
from .states import InvoiceStatus

ACTOR = "system:billing"
OWED = frozenset({InvoiceStatus.OPEN.value, InvoiceStatus.UNCOLLECTIBLE.value})


def take_off(invoice: Invoice, amount_minor: int, *, cause: str, reason: str, now: datetime) -> None:
    """
    Take an amount, tax included, off a finalised invoice: off what is owed, or back to how it was paid.

    Once for each `cause`, however often it is asked for; not in a transaction. What can't go back by itself (it is
    disputed, or the processor refuses) becomes a stuck item, and nothing waits for it.

    :raises StripeUnavailable: it is not done yet; ask again.
    """
    invoice.refresh_from_db()
    charge = Charge.objects.filter(invoice=invoice).order_by("charged_at").first()
    key = sha256(f"take_off:{cause}".encode()).hexdigest()[:32]
    act = invoice.acts.filter(pk=key).first()
    try:
        if act is None:
            act = _ask(invoice, charge, amount_minor, key=key, reason=reason, now=now)
    except InvoiceActRefused as refused:
        raise StripeUnavailable("something else is being done to the invoice") from refused
    except RefundRefused as refused:
        _leave_to_operator(invoice, amount_minor, str(refused), cause=cause, now=now)
        return
    done_minor = act.credit_note.total_minor if act is not None and act.credit_note else 0
    if act is not None and act.done_at is None:
        raise StripeUnavailable("it is not given back yet")
    if act is not None and act.refused_code:
        _leave_to_operator(invoice, amount_minor, act.refused_code, cause=cause, now=now)
    elif done_minor < amount_minor and invoice.status != InvoiceStatus.VOID.value:
        why = "it was not paid by a charge"
        _leave_to_operator(invoice, amount_minor - done_minor, why, cause=cause, now=now)


def _ask(
    invoice: Invoice, charge: Charge | None, amount_minor: int, *, key: str, reason: str, now: datetime
) -> InvoiceAct | None:
    if invoice.status in OWED:
        off_minor = min(amount_minor, invoice.remaining_minor)
        said = {"memo": reason, "reason": reason, "actor": ACTOR}
        return credit_invoice(invoice.pk, amount_minor=off_minor, key=key, now=now, **said) if off_minor else None
    if invoice.status != InvoiceStatus.PAID.value or charge is None:
        return None
    # A payment that is disputed has something left, and is refused.
    back_minor = min(amount_minor, refundable_minor(charge)) or amount_minor
    return refund(charge.pk, amount_minor=back_minor, key=key, actor=ACTOR, reason=reason, now=now)


def _leave_to_operator(invoice: Invoice, amount_minor: int, why: str, *, cause: str, now: datetime) -> None:
    open_stuck(
        source=SubsStuckEvent.Source.STRIPE,
        external_id=cause,
        kind="invoice.not_taken_off",
        reason=SubsStuckEvent.Reason.HANDLER_ERROR,
        signature=f"{amount_minor} minor units of invoice {invoice} can't go back by themselves: {why}",
        customer_reference=invoice.account_id,
        now=now,
    )
