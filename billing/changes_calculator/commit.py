"""The commit of a change that was paid for: everything it means appears in one transaction. `sync_save.py` calls it."""

from datetime import datetime

from accounts import journal
from accounts.lock import account_lock

from ..cfstripe import mirror
from ..cfstripe.shapes import Raw, read_invoice, read_subscription
from ..invoicing import clock as billing_clock
from ..invoicing.credits import use_reserved
from ..invoicing.record import record_new
from ..invoicing.states import FinalizeReason
from ..models.changes import ChangeWorkflow
from ..payments.attempts import record_paid_purchase
from ..payments.paths import PaymentPath
from . import workflows
from .change_set import ChangeSet
from .left_clocks import leave
from .one_off import billed_by_line
from .save import BilledBy, save_elements
from .scheduled import save_scheduled
from .steps import Step
from .tidy import note_empty_items


def write(workflow: ChangeWorkflow, change: ChangeSet, raw_invoice: Raw, *, now: datetime) -> bool:
    """Write all that a paid change means, under the account's lock; False if it has ended before, or can't be made."""
    invoice_facts = read_invoice(raw_invoice)
    assert invoice_facts.is_paid, "only a confirmed payment is committed"
    is_one_off = change.path is PaymentPath.ONE_OFF
    starts_clock = not change.schedule_id and not is_one_off
    subscription = read_subscription(workflow.stripe_subscription or {}) if starts_clock else None
    billed_by = BilledBy.new(subscription) if subscription else BilledBy.changed(invoice_facts)
    if is_one_off:
        billed_by = billed_by_line(invoice_facts)
    with account_lock(workflow.account_id):
        if not workflows.end(workflow, Step.COMMITTED, zone_ids=change.zone_ids, now=now):
            return False
        facts = save_elements(workflow.account_id, change.elements, billed_by, now=now)
        facts += save_scheduled(
            workflow.account_id, change.scheduled, actor=workflow.actor, now=now, replacing=change.elements
        )
        schedule_id: str | None = change.schedule_id or None
        if subscription is not None:
            schedule_id = billing_clock.start_schedule(workflow.account_id, subscription, interval=change.interval)
        invoice = record_new(
            invoice_facts,
            change.lines,
            account_id=workflow.account_id,
            schedule_id=schedule_id,
            workflow_id=workflow.pk,
            reason=FinalizeReason.CHANGE if change.schedule_id else FinalizeReason.PURCHASE,
        )
        record_paid_purchase(
            invoice,
            method_id=change.method_id,
            payment_intent_id=invoice_facts.payment_intent_id or workflow.stripe_payment_intent_id,
            on_session=workflow.request["on_session"],
            started_at=workflow.requested_at,
        )
        seen_at = mirror.seen_by_own_call(workflow.requested_at)
        mirror.remember([raw_invoice], account_id=workflow.account_id, seen_at=seen_at)
        after = {
            "workflow_id": workflow.pk,
            "invoice_id": invoice.pk,
            "paid_minor": invoice.paid_minor,
            "currency": invoice.currency,
            "opes": change.values_after(),
        }
        before = {"opes": change.values_before()}
        committed = journal.Fact(
            "change.committed", workflow.account_id, workflow.actor, cause=workflow.pk, before=before, after=after
        )
        leave(workflow.account_id, change.left, now=now)
        facts += note_empty_items(workflow.account_id, change, cause=workflow.pk, now=now)
        journal.emit(committed, *facts, *use_reserved(invoice, change.credit_uses, now=now), at=now)
    return True
