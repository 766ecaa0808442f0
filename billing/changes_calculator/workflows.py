"""The only writer of change workflows and their claims: how a change begins, moves on and ends."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import connection

from accounts import claim as leases
from accounts.lock import holds_lock
from config import clock

from ..invoicing import credits as customer_credits
from ..models.changes import ChangeWorkflow
from .change_set import ChangeSet
from .request import ChangeRequest, Refusal
from .steps import Step

# The workflow, what it claims, and the OPEs that say CHANGING from now on. The session that begins it holds it.
_BEGIN = f"""
WITH workflow AS (
    INSERT INTO change_workflow (
        id, account_id, step, origin, actor, request, request_digest, plan, stripe_customer_id, stripe_invoice_id,
        stripe_payment_intent_id, client_secret, payment_tries, refusal_code, refusal_message, requested_at,
        next_at, attempts, lease_token, lease_until, lease_backend
    ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, '', '', '', 0, '', '', %s, %s, 0, %s, %s, {leases.THIS_SESSION})
), claims AS (
    INSERT INTO change_claim (workflow_id, account_id, resource) SELECT %s, %s, unnest(%s::text[])
)
UPDATE subs_object_products_element SET workflow_id = %s WHERE id = ANY(%s::text[])
"""  # noqa: S608

# A commit looks by itself whether what it is for is there: the account open, the zones not deleted.
_END = """
WITH ended AS (
    UPDATE change_workflow SET step = %(step)s, finished_at = %(now)s, client_secret = '', lease_token = NULL,
        lease_until = NULL, lease_backend = ''
    WHERE id = %(id)s AND finished_at IS NULL AND (%(zone_ids)s::text[] IS NULL OR (
        step <> 'refunding'
        AND NOT EXISTS (SELECT FROM account WHERE id = change_workflow.account_id AND closed_at IS NOT NULL)
        AND NOT EXISTS (SELECT FROM zone WHERE id = ANY(%(zone_ids)s::text[]) AND deleted_at IS NOT NULL)
    ))
    RETURNING id
), released AS (
    DELETE FROM change_claim WHERE workflow_id IN (SELECT id FROM ended)
), freed AS (
    UPDATE subs_object_products_element SET workflow_id = NULL WHERE workflow_id IN (SELECT id FROM ended)
)
SELECT count(*) FROM ended
"""


def begin(request: ChangeRequest, change: ChangeSet, *, stripe_customer_id: str) -> ChangeWorkflow:
    """
    Write down what is going to be done, and claim what it touches; one statement, under the account's lock.

    The row is born leased by this thread.
    """
    assert holds_lock(request.account_id)
    token, lease_until = uuid4(), clock.machine_now() + timedelta(seconds=leases.LEASE_SECONDS)
    existing = [element.ope_id for element in change.elements if not element.is_new]
    plan = change.to_json()
    with connection.cursor() as cursor:
        cursor.execute(
            _BEGIN,
            [
                request.id,
                request.account_id,
                Step.PLANNED.value,
                request.origin.value,
                request.actor,
                json.dumps(request.to_json()),
                request.digest(),
                json.dumps(plan),
                stripe_customer_id,
                request.requested_at,
                request.requested_at,
                token,
                lease_until,
                request.id,
                request.account_id,
                list(change.claims),
                request.id,
                existing,
            ],
        )
    return ChangeWorkflow(
        id=request.id,
        account_id=request.account_id,
        step=Step.PLANNED.value,
        origin=request.origin.value,
        actor=request.actor,
        request=request.to_json(),
        request_digest=request.digest(),
        plan=plan,
        stripe_customer_id=stripe_customer_id,
        stripe_setup_intent_id="",
        requested_at=request.requested_at,
        next_at=request.requested_at,
        lease_token=token,
        lease_until=lease_until,
    )


def make_due(account_id: str, *, now: datetime, **waits_for: str) -> bool:
    """Have the change that waits for this looked at now, such as a payment of a subscription; return whether one is."""
    assert holds_lock(account_id)
    waiting = ChangeWorkflow.objects.filter(
        account=account_id,
        step=Step.AWAITING_PAYMENT.value,
        finished_at__isnull=True,
        **waits_for,
    )
    return bool(waiting.update(next_at=now))


def begin_refunding(workflow: ChangeWorkflow, refusal: Refusal, *, now: datetime) -> bool:
    """
    Let a change that was paid for and can't be made give its money back, from now on; its claims stay until then.

    Under the account's lock. Returns False, having changed nothing, if it does so already or has ended.
    """
    assert holds_lock(workflow.account_id)
    moving = ChangeWorkflow.objects.filter(pk=workflow.pk, finished_at__isnull=True).exclude(step=Step.REFUNDING.value)
    written = {
        "step": Step.REFUNDING.value,
        "refusal_code": refusal.code,
        "refusal_message": refusal.message,
        "client_secret": "",
        "next_at": now,
    }
    begun = bool(moving.update(**written))
    if begun:
        for name, value in written.items():
            setattr(workflow, name, value)
    else:
        workflow.refresh_from_db()
    return begun


def note_refusal(workflow: ChangeWorkflow, refusal: Refusal) -> None:
    """Write why a change is not made; whoever ends it with that journals it."""
    assert holds_lock(workflow.account_id)
    workflow.refusal_code, workflow.refusal_message = refusal.code, refusal.message
    ChangeWorkflow.objects.filter(pk=workflow.pk).update(refusal_code=refusal.code, refusal_message=refusal.message)


def end(workflow: ChangeWorkflow, step: Step, *, zone_ids: Sequence[str] | None = None, now: datetime) -> bool:
    """
    End a change at a final step and let go of all it claimed; one statement, under the account's lock.

    Credit that was kept for it is free again, unless it was committed, which uses it. With `zone_ids`, those that it is
    for, only if they and the account are there still, and nobody has begun to give its payment back.

    Returns False, having changed nothing, if it has ended before or may not end so; `workflow` then shows how it is.
    """
    assert holds_lock(workflow.account_id)
    ids = None if zone_ids is None else list(zone_ids)
    with connection.cursor() as cursor:
        cursor.execute(_END, {"id": workflow.pk, "step": step.value, "now": now, "zone_ids": ids})
        ended = bool(cursor.fetchone()[0])
    if ended:
        workflow.step, workflow.finished_at, workflow.client_secret = step.value, now, ""
        if step is not Step.COMMITTED and workflow.plan.get("credit_uses"):
            customer_credits.free_reserved(workflow.account_id, workflow_id=workflow.pk, now=now)
    else:
        workflow.refresh_from_db()
    return ended
