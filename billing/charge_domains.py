"""What the registrar asks to be paid is charged: a registration once, a renewal until it is paid or too late."""

from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from accounts import claim as leases
from accounts import journal
from accounts.lock import account_lock
from accounts.notices.tell import tell
from accounts.sweep import sweep

from .cfstripe.errors import StripeUnavailable
from .changes_calculator.request import (
    ChangeRefused,
    ChangeRequest,
    PaymentDeclined,
    PaymentUnavailable,
    RegistrationWish,
)
from .changes_calculator.submit import result_of, submit
from .domains import ACTOR, TRY_DAYS_BEFORE_EXPIRY, change_of
from .models.changes import ChangeWorkflow
from .models.domains import DomainCharge

AGAIN = timedelta(minutes=10)


def charge_due(*, now: datetime, limit: int = 20) -> int:
    """Charge up to `limit` domains that are due, and return how many were looked at. Not in a transaction."""
    due = leases.claim(DomainCharge, "ended_at IS NULL", now=now, limit=limit)
    return sweep(due, partial(charge, now=now), now=now, passing=(PaymentUnavailable, StripeUnavailable))


def charge(row: DomainCharge, *, now: datetime) -> None:
    """
    Make the change that pays for a domain, and write what came of it.

    Each try is a change of its own with an id made from the row: one that was interrupted is the same when it is made
    again.
    """
    request = change_of(row, wish=RegistrationWish.PAID, change_id=_change_id(row), now=now)
    try:
        _submit_once(request)
    except ChangeRefused as refused:
        if refused.code == "change_in_flight":
            leases.release(row, next_at=now + AGAIN)
            return
        _not_paid(row, code=refused.code, workflow_id="", now=now)
    except PaymentDeclined as declined:
        _not_paid(row, code=declined.code, workflow_id=declined.workflow_id, now=now)
    else:
        with account_lock(row.account_id):
            leases.release(row, outcome="paid", ended_at=now, workflow_id=request.id)
            journal.emit(_fact("domain.paid", row, code=""), at=now)


def next_try(row: DomainCharge, *, now: datetime) -> datetime | None:
    """Return when a renewal is tried again; None: this was the last time, or it is no renewal."""
    if row.renews_at is None:
        return None
    times = (row.renews_at - timedelta(days=days) for days in TRY_DAYS_BEFORE_EXPIRY)
    return next((at for at in times if at > now), None)


def _submit_once(request: ChangeRequest) -> None:
    """A try that has ended ends the same way again."""
    workflow = ChangeWorkflow.objects.filter(pk=request.id, finished_at__isnull=False).first()
    if workflow is not None:
        result_of(workflow)
    else:
        submit(request)


def _not_paid(row: DomainCharge, *, code: str, workflow_id: str, now: datetime) -> None:
    """Wait for the next try, or give it up; tell the customer either way."""
    again_at = next_try(row, now=now)
    with account_lock(row.account_id):
        tries = row.tries + 1
        if again_at is not None:
            leases.release(row, tries=tries, workflow_id=workflow_id, next_at=again_at)
        else:
            leases.release(row, tries=tries, workflow_id=workflow_id, outcome=code, ended_at=now)
        journal.emit(_fact("domain.not_paid", row, code=code), at=now)
        facts: dict[str, object] = {"domain": row.domain, "years": row.years}
        if row.renews_at is None:
            tell(row.account_id, "domain_unpaid", about=row.pk, level=tries, facts=facts, now=now)
            return
        facts["expires_at"] = row.renews_at.isoformat()
        if again_at is not None:
            facts["next_try_at"] = again_at.isoformat()
        kind = "domain_renewal_unpaid" if again_at is not None else "domain_expires"
        tell(row.account_id, kind, about=row.pk, level=tries, facts=facts, now=now)


def _change_id(row: DomainCharge) -> str:
    return sha256(f"domain_charge:{row.pk}:{row.tries}".encode()).hexdigest()[:32]


def _fact(kind: str, row: DomainCharge, *, code: str) -> journal.Fact:
    after = {"charge_id": row.pk, "tries": row.tries, "code": code, "workflow_id": row.workflow_id}
    return journal.Fact(kind, row.account_id, ACTOR, cause=row.pk, after=after)
