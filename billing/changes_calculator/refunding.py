"""
A change that was paid for and can't be made: the money goes back, and nothing of it is ever owned.

What makes it impossible is told from what passes: only a fact that will not change (the zone or the account is gone),
or a constraint that refuses again and again, has a payment given back. Each action is safe to repeat.
"""

from dataclasses import replace
from datetime import datetime

from accounts import journal
from accounts.lock import account_lock, holds_lock
from accounts.notices.tell import tell
from config import wake

from ..cfstripe import mirror, subscriptions
from ..cfstripe.errors import StripeUnavailable
from ..cfstripe.shapes import Raw, read_invoice, read_subscription
from ..invoicing.clock import end_schedule
from ..invoicing.record import record_new
from ..invoicing.resolve import refundable_minor
from ..invoicing.states import FinalizeReason
from ..invoicing.take_off import take_off
from ..models.changes import ChangeWorkflow
from ..models.invoices import BillingSchedule, Invoice
from ..models.reversals import Charge
from ..payments.attempts import record_paid_purchase
from ..payments.paths import PaymentPath
from . import workflows
from .change_set import ChangeSet
from .items import moves
from .next_period import items_by_price, next_phases, quantities, settled_now
from .request import Refusal
from .steps import Step
from .told import words_of

# A commit that a constraint has refused so often is refused for good.
TRIES_OF_COMMIT = 5
BACK = "The payment is on its way back."
REFUSED_FOR_GOOD = Refusal("commit_refused", "The change can't be made.")
OVER = frozenset({"canceled", "incomplete_expired"})


def begin(workflow: ChangeWorkflow, change: ChangeSet, raw_invoice: Raw, refusal: Refusal, *, now: datetime) -> None:
    """
    Write that money came which goes back: invoice, ledger, attempt and journal, in the caller's transaction.

    Nothing is written if that was done before, or if the change has ended.
    """
    assert holds_lock(workflow.account_id)
    refusal = replace(refusal, message=f"{refusal.message} {BACK}")
    if not workflows.begin_refunding(workflow, refusal, now=now):
        return
    facts = read_invoice(raw_invoice)
    invoice = record_new(
        facts,
        (),  # what was planned is never owned, so no line is an OPE's
        account_id=workflow.account_id,
        schedule_id=change.schedule_id or None,
        workflow_id=workflow.pk,
        reason=FinalizeReason.CHANGE if change.schedule_id else FinalizeReason.PURCHASE,
    )
    record_paid_purchase(
        invoice,
        method_id=change.method_id,
        payment_intent_id=facts.payment_intent_id or workflow.stripe_payment_intent_id,
        on_session=workflow.request["on_session"],
        started_at=workflow.requested_at,
    )
    seen_at = mirror.seen_by_own_call(workflow.requested_at)
    mirror.remember([raw_invoice], account_id=workflow.account_id, seen_at=seen_at)
    journal.emit(_fact("change.refunding", workflow, invoice), at=now)
    wake.wake("billing.resume_workflows")


def give_back(workflow: ChangeWorkflow, change: ChangeSet, now: datetime) -> None:
    """
    Take back what Stripe bills, refund all that was paid, then tell the customer and let go of the claims.

    :raises StripeUnavailable: one of them is not done yet; all of it is gone over again.
    """
    _take_items_back(workflow, change, now)
    invoice = Invoice.objects.get(workflow=workflow)
    _refund(workflow, invoice, now)
    with account_lock(workflow.account_id):
        if not workflows.end(workflow, Step.REFUNDED, now=now):
            return
        journal.emit(_fact("change.refunded", workflow, invoice), at=now)
        if invoice.paid_minor:
            facts = {"what": words_of(change), "paid_minor": invoice.paid_minor, "currency": invoice.currency}
            tell(workflow.account_id, "change_refunded", about=workflow.pk, facts=facts, now=now)


def _take_items_back(workflow: ChangeWorkflow, change: ChangeSet, now: datetime) -> None:
    """Make Stripe bill what is owned, charging and crediting nothing: items keep their ids, by which OPEs know them."""
    if change.path is PaymentPath.ONE_OFF:
        return
    if not change.schedule_id:
        subscriptions.cancel(str((workflow.stripe_subscription or {})["id"]), key=f"wf_{workflow.pk}_cancel_1")
        return
    schedule = BillingSchedule.objects.get(pk=change.schedule_id)
    current = read_subscription(subscriptions.retrieve(schedule.stripe_subscription_id))
    if current.status in OVER:
        return
    before = items_by_price(current)
    after = quantities(next_phases(schedule), before)
    # Quantities are absolute and read anew each time, so each try may have a key of its own.
    key = f"wf_{workflow.pk}_back_{workflow.attempts}"
    if not after:
        subscriptions.cancel(schedule.stripe_subscription_id, key=key)
        with account_lock(workflow.account_id):
            end_schedule(schedule.pk, at=now)
    elif items := [_taken_off(move) for move in moves(before, after)]:
        params = {"items": items} | settled_now(current, schedule, before, after, now=now)
        subscriptions.update(schedule.stripe_subscription_id, params, key=key)


def _taken_off(move: dict[str, object]) -> dict[str, object]:
    return {"id": move["id"], "deleted": True} if move.get("quantity") == 0 else move


def _refund(workflow: ChangeWorkflow, invoice: Invoice, now: datetime) -> None:
    """
    Give all of the payment back, once; a credit note that Stripe has not answered to is waited for.

    A payment that the customer disputes is their bank's to give back, or an operator's: nothing waits for that.
    """
    charge = Charge.objects.select_related("invoice").filter(invoice=invoice).first()
    if charge is not None and (left_minor := refundable_minor(charge)) > 0:
        take_off(invoice, left_minor, cause=f"refund_{workflow.pk}", reason="change refunded", now=now)
    if invoice.acts.filter(done_at__isnull=True).exists():
        raise StripeUnavailable("the refund is not made yet")


def _fact(kind: str, workflow: ChangeWorkflow, invoice: Invoice) -> journal.Fact:
    after = {
        "workflow_id": workflow.pk,
        "invoice_id": invoice.pk,
        "paid_minor": invoice.paid_minor,
        "currency": invoice.currency,
        "code": workflow.refusal_code,
    }
    return journal.Fact(kind, workflow.account_id, workflow.actor, cause=workflow.pk, after=after)
