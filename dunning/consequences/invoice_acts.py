"""The credit note and the mark of a bad invoice at Stripe: acts upon the invoice, as agents ask for them too."""

from datetime import datetime, timedelta

from accounts.lock import account_lock
from billing.invoicing import acts, issue_credit_note
from billing.invoicing.acts import InvoiceActRefused
from billing.invoicing.carry_out import carry_out_now
from billing.invoicing.states import ActKind, InvoiceStatus
from billing.models.invoices import Invoice
from billing.models.reversals import CreditNote, InvoiceAct

from ..models.actions import DunningAction
from .outcome import OVERTAKEN, Done, MustWait

# Something else is being done to the invoice; that ends by itself.
WAIT = timedelta(seconds=30)
ACTOR = "system:dunning"


def credit_note(action: DunningAction, *, now: datetime) -> Done:
    """
    Issue the note that the decision asked for, so that the invoice shows what is owed.

    An invoice that was paid before it was made gives what it credits back as credit; one that somebody marked at
    Stripe before gets a note of ours alone.
    """
    assert action.credit_note_id is not None
    note = CreditNote.objects.select_related("invoice").get(pk=action.credit_note_id)
    if note.invoice.status == InvoiceStatus.VOID.value:
        with account_lock(action.account_id):
            issue_credit_note.refuse(note, code="invoice_void", now=now)
    elif note.status == CreditNote.Status.ASKED:
        act = InvoiceAct.objects.filter(credit_note=note).first() or _ask(action, ActKind.CREDIT_NOTE, note, now=now)
        _carry_out(act, now=now)
    note.refresh_from_db()
    return Done(code=note.refusal_code)


def mark_uncollectible(action: DunningAction, *, now: datetime) -> Done:
    """Mark the invoice at Stripe as given up; one that is paid, void or marked by now stays as it is."""
    assert action.invoice_id is not None
    pending = InvoiceAct.objects.filter(
        invoice=action.invoice_id, kind=ActKind.UNCOLLECTIBLE.value, done_at__isnull=True
    ).first()
    if pending is None:
        invoice = Invoice.objects.get(pk=action.invoice_id)
        if invoice.status != InvoiceStatus.OPEN.value:
            return Done(code="" if invoice.status == InvoiceStatus.UNCOLLECTIBLE.value else OVERTAKEN)
        pending = _ask(action, ActKind.UNCOLLECTIBLE, None, now=now)
    return Done(code=_carry_out(pending, now=now))


def _ask(action: DunningAction, kind: ActKind, note: CreditNote | None, *, now: datetime) -> InvoiceAct:
    assert action.invoice_id is not None
    with account_lock(action.account_id):
        invoice = Invoice.objects.get(pk=action.invoice_id)
        if note is not None:
            issue_credit_note.fit(note, invoice)
        try:
            return acts.ask(invoice, kind, note=note, actor=ACTOR, reason=action.decision.because, now=now)
        except InvoiceActRefused as refusal:
            raise MustWait(now + WAIT) from refusal


def _carry_out(act: InvoiceAct, *, now: datetime) -> str:
    """Do it now, or wait for whoever does; return why Stripe would not, empty if it was done."""
    act = carry_out_now(act, now=now)
    if act.done_at is None:
        raise MustWait(max(act.next_at, now + timedelta(seconds=1)))
    return act.refused_code
