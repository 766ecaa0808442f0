"""A cart: several purchases that are one change, one payment and one invoice, or nothing at all."""

from dataclasses import replace
from hashlib import sha256

from accounts.models import JournalEntry

from .changes_calculator.request import ChangeRequest
from .changes_calculator.submit import result_of, submit
from .models.changes import ChangeWorkflow


class KeyReused(Exception):
    """The caller's key named another cart before."""

    code = "key_reused"


def buy_cart(request: ChangeRequest, *, key: str) -> None:
    """
    Make the change that buys the cart. The same `key` again does nothing again and ends as the first time did.

    The key is the change's identity: it names one workflow, whatever else has changed since. An empty key names
    nothing; then only what is so already is not bought again.

    :raises KeyReused: the key was used for a cart with something else in it.
    :raises PaymentDeclined: the payment was refused, now or the first time.
    :raises ChangeRefused: see `submit`, as for whatever else it raises.
    """
    if key:
        request = replace(request, id=sha256(f"cart:{request.account_id}:{key}".encode()).hexdigest()[:32])
        if _is_over(request):
            return
    submit(request)


def _is_over(request: ChangeRequest) -> bool:
    """Whether this very change was made before; one that cost nothing left its trace in the journal alone."""
    workflow = ChangeWorkflow.objects.filter(pk=request.id).first()
    if workflow is None:
        return JournalEntry.objects.filter(account=request.account_id, cause=request.id).exists()
    if workflow.request_digest != request.digest():
        raise KeyReused
    if workflow.finished_at is None:
        return False
    result_of(workflow)
    return True
