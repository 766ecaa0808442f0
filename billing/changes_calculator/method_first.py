"""
A payment method before anything else: use costs nothing now, but there must be something to bill it to later; and who
must give another method is charged to no stored one. Pure.
"""

from ..payments.paths import PaymentPath
from .change_set import ChangeSet, ElementChange, StripeCall
from .request import ChangeRequest


def method_first(request: ChangeRequest, changes: tuple[ElementChange, ...]) -> ChangeSet:
    """Return the change that takes effect once the customer has confirmed a payment method, and charges nothing."""
    phase = changes[0].after
    return ChangeSet(
        path=PaymentPath.METHOD_FIRST,
        currency=phase.currency if phase else "",
        interval=phase.interval if phase else "",
        due_now_minor=0,
        period_start=None,
        period_end=None,
        elements=changes,
        calls=(ask_for_method(request),),
        claims=tuple(f"object:{object_id}" for object_id in request.object_ids),
    )


def ask_for_method(request: ChangeRequest) -> StripeCall:
    """Return the call that gives the customer a secret to confirm a method with."""
    params = {
        "usage": "off_session",
        "metadata": {"paygo_account": request.account_id, "paygo_workflow": request.id},
    }
    return StripeCall("setup_intents.create", params)
