"""
Stage 4 of 4, Sync+Save: ask Stripe for the money, and commit everything once it is confirmed.

A change moves from step to step; each step is a committed row, so whoever finds it goes on from there. Until the
commit nothing of it is visible: stopping is always right, and there is nothing to roll back.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, IntegrityError, transaction

from accounts import claim as leases
from accounts import journal
from accounts.lock import account_lock
from accounts.models import SubsStuckEvent
from accounts.retry import backoff
from accounts.stuck import open_stuck

from ..cfstripe import invoices, subscriptions
from ..cfstripe.errors import StripeActionRequired, StripeDeclined, StripeRefused, StripeUnavailable
from ..cfstripe.shapes import Raw, read_invoice, time_of
from ..customers import ensure_customer
from ..models.changes import ChangeWorkflow
from ..payments.declines import AUTHENTICATION_REQUIRED, PROCESSOR_REFUSED
from ..payments.paths import PaymentPath
from . import refunding, workflows
from .change_set import ChangeSet, StripeCall
from .commit import write
from .forgotten import UNCLEAR, OutcomeUnclear, find_asked, is_forgotten
from .gone import gone
from .one_off import bill, charge
from .request import PaymentUnavailable
from .setting_up import ask_for_method, give_up_method, look_for_method
from .steps import Step
from .stopping import stop, stop_declined
from .told import tell_not_made
from .without_money import BeginsWithoutMoney, tell

logger = structlog.get_logger()

# Stripe gives up the first payment of a subscription after 23 hours.
PAYMENT_LIFETIME = timedelta(hours=23)
LOOK_AGAIN = timedelta(minutes=10)
KEPT_OF_SUBSCRIPTION = ("id", "object", "status", "customer", "billing_cycle_anchor", "items", "metadata", "created")


def run(workflow: ChangeWorkflow, *, now: datetime) -> None:
    """
    Take a change that this thread has leased from where it stands as far as it goes: to its end, or to waiting.

    Every call to Stripe carries the workflow's own key, so going over a step again does nothing twice.

    :raises PaymentUnavailable: Stripe did not answer. The change stays where it is and is taken up again.
    """
    try:
        change = ChangeSet.from_json(workflow.plan)
        steps = ONE_OFF_STEPS if change.path is PaymentPath.ONE_OFF else STEPS
        while (act := steps.get(Step(workflow.step))) is not None:
            act(workflow, change, now)
    except StripeUnavailable as error:
        leases.give_back_failed(workflow, next_at=now + backoff(workflow.attempts))
        raise PaymentUnavailable("The payment processor does not answer. Your change goes on by itself.") from error
    except Exception:
        with suppress(DatabaseError):
            leases.give_back_failed(workflow, next_at=now + backoff(workflow.attempts))
        raise


def commit(workflow: ChangeWorkflow, change: ChangeSet, raw_invoice: Raw, *, now: datetime) -> bool:
    """
    Write everything that this paid change means, in one transaction; False if somebody has done so before.

    OPEs, entitlements, billing schedule, invoice, ledger, attempt, mirror and journal appear together. Where that is
    impossible for good, what is written instead is that the money goes back (`refunding.py`).
    """
    with account_lock(workflow.account_id):
        is_last_try = workflow.attempts >= refunding.TRIES_OF_COMMIT
        try:
            with transaction.atomic(savepoint=is_last_try):
                if write(workflow, change, raw_invoice, now=now):
                    return True
            if workflow.finished_at is not None:
                return False
            refusal = gone(workflow)
        except IntegrityError:
            if not is_last_try:
                raise
            logger.exception("change.refused_for_good", workflow=workflow.pk)
            workflow.refresh_from_db()
            refusal = refunding.REFUSED_FOR_GOOD
        refunding.begin(workflow, change, raw_invoice, refusal, now=now)
    return False


def look(workflow: ChangeWorkflow, *, now: datetime) -> None:
    """
    See what became of a payment that a leased change waits for: commit it, wait on, or give it up.

    Stripe's answer decides, not our clock: only an invoice that can't be paid any more lets the change go.
    """
    if workflow.stripe_setup_intent_id:
        if not look_for_method(workflow, now=now):
            leases.renew(workflow, step=Step.STOPPING.value, refusal_code="payment_expired")
        if workflow.step != Step.AWAITING_PAYMENT.value and workflow.finished_at is None:
            run(workflow, now=now)
        return
    raw = invoices.retrieve(workflow.stripe_invoice_id)
    facts = read_invoice(raw)
    if facts.is_paid:
        commit(workflow, ChangeSet.from_json(workflow.plan), raw, now=now)
        if workflow.step == Step.REFUNDING.value:
            run(workflow, now=now)
    elif facts.status == "open" and workflow.expires_at is not None and now < workflow.expires_at:
        leases.release(workflow, next_at=min(now + LOOK_AGAIN, workflow.expires_at))
    else:
        leases.renew(workflow, step=Step.STOPPING.value, refusal_code="payment_expired")
        run(workflow, now=now)


def _ask(workflow: ChangeWorkflow, change: ChangeSet, now: datetime) -> None:
    """Make the subscription, with a first invoice that waits for its payment; or say what needs none."""
    if (act := WITHOUT_MONEY.get(change.path)) is not None:
        act(workflow, change, now=now)
        return
    customer_id = workflow.stripe_customer_id or ensure_customer(workflow.account_id, now=now)
    (call,) = change.calls
    try:
        known = find_asked(workflow, call, customer_id) if is_forgotten(workflow, now=now) else None
        raw = known or CALLS[call.operation](call, customer_id, f"wf_{workflow.pk}_ask_1")
    except OutcomeUnclear:
        _ask_somebody(workflow, now)
        raise
    except StripeDeclined as declined:
        stop_declined(workflow, change, declined.code, declined.advice_code, now)
    except StripeActionRequired:
        stop(workflow, AUTHENTICATION_REQUIRED)
    except StripeRefused as refusal:
        logger.error("change.refused_by_stripe", workflow=workflow.pk, operation=call.operation, code=refusal.code)
        stop(workflow, PROCESSOR_REFUSED)
    else:
        _asked(workflow, change, raw, customer_id, now)


def _ask_somebody(workflow: ChangeWorkflow, now: datetime) -> None:
    """Nobody can tell by rules what became of the call: until an agent has looked, nothing of the change goes on."""
    leases.renew(workflow, refusal_code=UNCLEAR.code, refusal_message=UNCLEAR.message)
    open_stuck(
        source=SubsStuckEvent.Source.STRIPE,
        external_id=workflow.pk,
        kind="change.outcome_unclear",
        reason=SubsStuckEvent.Reason.HANDLER_ERROR,
        signature="the items of a subscription are neither as a change asked for nor as they were",
        customer_reference=workflow.account_id,
        now=now,
    )


def _asked(workflow: ChangeWorkflow, change: ChangeSet, raw: Raw, customer_id: str, now: datetime) -> None:
    """Keep what Stripe answered; a customer who must act, and is there, gets the secret to pay with."""
    raw_invoice = invoices.whole(raw["latest_invoice"])
    facts = read_invoice(raw_invoice)
    pending = raw.get("pending_update") or {}
    was_charged = bool(change.schedule_id and change.method_processor_id)
    if was_charged and not facts.is_paid:
        # Whether the bank declined or asks the customer is not in the answer. One call, on this way alone.
        raw_invoice = invoices.retrieve(facts.id)
        facts = read_invoice(raw_invoice)
    asks_customer = not change.method_processor_id or (was_charged and facts.payment_status == "requires_action")
    waits = not facts.is_paid and asks_customer
    answered = {
        "stripe_customer_id": customer_id,
        "stripe_subscription": {name: raw[name] for name in KEPT_OF_SUBSCRIPTION},
        "stripe_invoice_id": facts.id,
        "stripe_payment_intent_id": facts.payment_intent_id,
        "client_secret": facts.client_secret,
        "expires_at": time_of(pending["expires_at"]) if pending else facts.created_at + PAYMENT_LIFETIME,
    }
    if waits:
        _wait(workflow, now, **answered)
        return
    leases.renew(workflow, step=Step.PAYING.value, **answered)
    if facts.is_paid:
        commit(workflow, change, raw_invoice, now=now)
    elif was_charged:
        decline = facts.decline
        stop_declined(workflow, change, decline.code if decline else "", decline.advice_code if decline else "", now)


def _wait(workflow: ChangeWorkflow, now: datetime, **answered: object) -> None:
    """Let the change go until the customer has confirmed the payment, or until somebody looks what became of it."""
    with account_lock(workflow.account_id):
        leases.release(workflow, step=Step.AWAITING_PAYMENT.value, next_at=now + LOOK_AGAIN, **answered)
        waits = journal.Fact("change.awaiting_payment", workflow.account_id, workflow.actor, cause=workflow.pk)
        journal.emit(waits, at=now)


def _pay(workflow: ChangeWorkflow, change: ChangeSet, now: datetime) -> None:
    """Charge the stored method while the customer is present."""
    try:
        raw = invoices.pay(
            workflow.stripe_invoice_id,
            method_processor_id=change.method_processor_id,
            off_session=not workflow.request["on_session"],
            key=f"wf_{workflow.pk}_pay_1",
        )
    except StripeActionRequired:
        _wait(workflow, now)
    except StripeDeclined as declined:
        stop_declined(workflow, change, declined.code, declined.advice_code, now)
    except StripeRefused:
        raw = invoices.retrieve(workflow.stripe_invoice_id)
        if read_invoice(raw).is_paid:
            commit(workflow, change, raw, now=now)
        else:
            stop(workflow, PROCESSOR_REFUSED)
    else:
        commit(workflow, change, raw, now=now)


def _pay_once(workflow: ChangeWorkflow, change: ChangeSet, now: datetime) -> None:
    """Charge an invoice of its own, the customer not being present."""
    if (raw := charge(workflow, change, now=now)) is not None:
        commit(workflow, change, raw, now=now)


def _take_back(workflow: ChangeWorkflow, change: ChangeSet, now: datetime) -> None:
    """Void the invoice and end the subscription, so that nobody can pay for what is not going to happen."""
    if workflow.stripe_invoice_id:
        raw = _voided(workflow)
        if read_invoice(raw).is_paid:
            commit(workflow, change, raw, now=now)
            return
        if not change.schedule_id and workflow.stripe_subscription:
            subscriptions.cancel(str(workflow.stripe_subscription["id"]), key=f"wf_{workflow.pk}_cancel_1")
    if workflow.stripe_setup_intent_id and not give_up_method(workflow, now=now):
        return
    kind, step = ENDS.get(workflow.refusal_code, ("change.declined", Step.DECLINED))
    with account_lock(workflow.account_id):
        if workflows.end(workflow, step, now=now):
            after = {"workflow_id": workflow.pk, "code": workflow.refusal_code}
            ended = journal.Fact(kind, workflow.account_id, workflow.actor, cause=workflow.pk, after=after)
            journal.emit(ended, at=now)
            tell_not_made(workflow, change, now=now)


def _voided(workflow: ChangeWorkflow) -> Raw:
    """Return the invoice, void now, or whatever final state it had before."""
    try:
        return invoices.void(workflow.stripe_invoice_id, key=f"wf_{workflow.pk}_void_1")
    except StripeRefused:
        return invoices.retrieve(workflow.stripe_invoice_id)


CALLS: dict[str, Callable[[StripeCall, str, str], Raw]] = {
    "subscriptions.create": lambda call, customer_id, key: subscriptions.create(
        {**call.params, "customer": customer_id}, key=key
    ),
    "subscriptions.update": lambda call, _customer_id, key: subscriptions.update(call.object_id, call.params, key=key),
}

# How changes are begun that Stripe makes no invoice for, or not before the customer has confirmed a method.
WITHOUT_MONEY: dict[PaymentPath, BeginsWithoutMoney] = {
    PaymentPath.NOTHING_DUE:        tell,
    PaymentPath.METHOD_FIRST:       ask_for_method,
    PaymentPath.METHOD_THEN_UPDATE: ask_for_method,
}  # fmt: skip

STEPS: dict[Step, Callable[[ChangeWorkflow, ChangeSet, datetime], None]] = {
    Step.PLANNED:   _ask,
    Step.PAYING:    _pay,
    Step.STOPPING:  _take_back,
    Step.REFUNDING: refunding.give_back,
}  # fmt: skip

# The same steps, where an invoice of its own bills what is bought.
ONE_OFF_STEPS = STEPS | {Step.PLANNED: bill, Step.PAYING: _pay_once}

# How a change ends that was not made, by the reason; any other was declined.
ENDS: dict[str, tuple[str, Step]] = {
    "change_abandoned": ("change.abandoned", Step.ABANDONED),
    "payment_expired": ("change.expired", Step.EXPIRED),
}
