"""What is to be done to invoices at Stripe, as rows: asked for in one transaction, carried out by `carry_out.py`."""

from datetime import datetime

from accounts import journal
from accounts.lock import holds_lock
from accounts.models import new_id
from config import wake

from ..models.invoices import Invoice, PaymentAttempt
from ..models.reversals import CreditNote, InvoiceAct
from .states import ActKind, InvoiceStatus, allows

IN_FLIGHT = (PaymentAttempt.Status.IN_FLIGHT, PaymentAttempt.Status.UNKNOWN)


class InvoiceActRefused(Exception):
    """The invoice can't be acted upon in this way now; the message says why. Nothing was written."""

    code = "invoice_act_refused"


def why_not(invoice: Invoice, kind: ActKind) -> str:
    """Return why this can't be done to the invoice now; empty if it can. At most two statements."""
    if not allows(InvoiceStatus(invoice.status), kind):
        return f"the invoice is {invoice.status}"
    if invoice.acts.filter(done_at__isnull=True).exists():
        return "something else is being done to the invoice; wait until that has ended"
    if invoice.attempts.filter(status__in=IN_FLIGHT).exists():
        return "a payment of the invoice is under way; wait until that has ended"
    return ""


def ask(
    invoice: Invoice,
    kind: ActKind,
    *,
    note: CreditNote | None = None,
    key: str = "",
    actor: str,
    reason: str,
    now: datetime,
) -> InvoiceAct:
    """
    Write down what is to be done to an invoice, due now, under the id `key` if there is one. Under the account's lock.

    :raises InvoiceActRefused: not in this state of the invoice, or not while something else is under way.
    """
    assert holds_lock(invoice.account_id)
    if because := why_not(invoice, kind):
        raise InvoiceActRefused(f"This can't be done: {because}.")
    act = InvoiceAct.objects.create(
        id=key or new_id(),
        account_id=invoice.account_id,
        invoice=invoice,
        kind=kind.value,
        credit_note=note,
        actor=actor,
        reason=reason,
        asked_at=now,
        next_at=now,
    )
    after = {"invoice_id": invoice.pk, "act": kind.value, "credit_note_id": note.pk if note else ""}
    journal.emit(
        journal.Fact("invoice.act_asked", invoice.account_id, actor, reason=reason, cause=act.pk, after=after), at=now
    )
    wake.wake("billing.carry_out")
    return act


def settle_if_nothing_is_left(invoice: Invoice, *, now: datetime) -> None:
    """
    Have Stripe's copy marked as paid when our books ask for nothing more, and it does not know. Under the lock.

    While another act is under way nothing is asked: its end comes here again.
    """
    if invoice.remaining_minor == 0 and invoice.stripe_invoice_id and not why_not(invoice, ActKind.SETTLE):
        ask(invoice, ActKind.SETTLE, actor="system:billing", reason="nothing is left to pay", now=now)


def journal_done(act: InvoiceAct, *, refused_code: str = "", now: datetime) -> None:
    """Write into the journal that an act was done, or that Stripe would not."""
    kind = "invoice.act_refused" if refused_code else "invoice.act_done"
    after = {"invoice_id": act.invoice_id, "act": act.kind, "code": refused_code}
    journal.emit(journal.Fact(kind, act.account_id, act.actor, cause=act.pk, after=after), at=now)
