"""How a change comes to its end without being made: why is noted first, and taking back is the step after it."""

from datetime import datetime

from accounts import claim as leases
from accounts.lock import account_lock

from ..models.changes import ChangeWorkflow
from ..models.methods import PaymentMethod
from ..payments.conclude import note_decline
from ..payments.declines import refusal as refusal_of
from .change_set import ChangeSet
from .request import Refusal
from .steps import Step


def stop(workflow: ChangeWorkflow, refusal: Refusal) -> None:
    """Note why the change ends; what Stripe has begun is taken back in the next step."""
    leases.renew(workflow, step=Step.STOPPING.value, refusal_code=refusal.code, refusal_message=refusal.message)


def stop_declined(workflow: ChangeWorkflow, change: ChangeSet, code: str, advice_code: str, now: datetime) -> None:
    """Stop, because the bank said no; a method that must never be charged again is stopped with it."""
    with account_lock(workflow.account_id):
        method = PaymentMethod.objects.filter(pk=change.method_id).first()
        if method is not None:
            note_decline(method, code=code, advice_code=advice_code, now=now)
        stop(workflow, refusal_of(code))
