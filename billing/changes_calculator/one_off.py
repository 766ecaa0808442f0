"""Sync+Save of what is billed by an invoice of its own: the invoice, its payment off-session, then the commit."""

from datetime import datetime

import structlog

from accounts import claim as leases

from ..cfstripe import invoices
from ..cfstripe.errors import StripeActionRequired, StripeDeclined, StripeRefused
from ..cfstripe.one_off_invoices import bill_once
from ..cfstripe.shapes import InvoiceFacts, Raw, read_invoice
from ..customers import ensure_customer
from ..models.changes import ChangeWorkflow
from ..payments.declines import AUTHENTICATION_REQUIRED, PAYMENT_DECLINED, PROCESSOR_REFUSED
from .change_set import ChangeSet
from .save import BilledBy
from .steps import Step
from .stopping import stop, stop_declined

logger = structlog.get_logger()


def bill(workflow: ChangeWorkflow, change: ChangeSet, now: datetime) -> None:
    """Have Stripe write the invoice; who has no card to charge is told so before anything is written."""
    if not change.method_processor_id:
        stop(workflow, PAYMENT_DECLINED)
        return
    customer_id = workflow.stripe_customer_id or ensure_customer(workflow.account_id, now=now)
    (call,) = change.calls
    try:
        raw = bill_once(customer_id, call.params, currency=change.currency, key=f"wf_{workflow.pk}_bill_1")
    except StripeRefused as refusal:
        logger.error("change.refused_by_stripe", workflow=workflow.pk, operation=call.operation, code=refusal.code)
        stop(workflow, PROCESSOR_REFUSED)
        return
    facts = read_invoice(raw)
    leases.renew(
        workflow, step=Step.PAYING.value, stripe_customer_id=customer_id, stripe_invoice_id=facts.id,
        stripe_payment_intent_id=facts.payment_intent_id,
    )  # fmt: skip


def charge(workflow: ChangeWorkflow, change: ChangeSet, *, now: datetime) -> Raw | None:
    """Return the invoice, paid; None: it was not, and the change is stopped. The customer is not there."""
    invoice_id = workflow.stripe_invoice_id
    try:
        return invoices.pay(
            invoice_id, method_processor_id=change.method_processor_id, off_session=True, key=f"wf_{workflow.pk}_pay_1"
        )
    except StripeDeclined as declined:
        stop_declined(workflow, change, declined.code, declined.advice_code, now)
    except StripeActionRequired:
        stop(workflow, AUTHENTICATION_REQUIRED)
    except StripeRefused:
        raw = invoices.retrieve(invoice_id)
        if read_invoice(raw).is_paid:
            return raw
        stop(workflow, PROCESSOR_REFUSED)
    return None


def billed_by_line(facts: InvoiceFacts) -> BilledBy:
    """Return who bills what an invoice of its own paid: that invoice and its line, `in_X:il_Y`."""
    (line,) = facts.lines
    return BilledBy(facts.id, {"": line.id})
