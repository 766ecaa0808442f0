"""What a customer is told of a change that came to nothing while they were away."""

from datetime import datetime

from accounts.notices.tell import tell

from ..models.changes import ChangeWorkflow
from ..payments.declines import AUTHENTICATION_REQUIRED, PAYMENT_DECLINED
from ..payments.paths import PaymentPath
from .change_set import ChangeSet
from .request import Origin

# The notice for each reason for which a change that nobody was present for was not made.
NOTICES = {
    AUTHENTICATION_REQUIRED.code: "change_needs_confirmation",
    PAYMENT_DECLINED.code: "change_declined",
}


def tell_not_made(workflow: ChangeWorkflow, change: ChangeSet, *, now: datetime) -> None:
    """
    Have the customer told that a change was not made, and where to make it. Under the account's lock.

    Whoever was present has the answer already, and gets no e-mail; of what we began ourselves, like what follows a
    trial, whoever began it says what it means. So does a domain's charge, which may be tried again.
    """
    if workflow.origin == Origin.SYSTEM.value:
        return
    kind = NOTICES.get(workflow.refusal_code)
    if kind is not None and not workflow.request["on_session"] and change.path is not PaymentPath.ONE_OFF:
        facts = {"what": words_of(change), "due_minor": change.due_now_minor, "currency": change.currency}
        tell(workflow.account_id, kind, about=workflow.pk, facts=facts, now=now)


def words_of(change: ChangeSet) -> str:
    """Return what a change buys, as its invoice says it."""
    return ", ".join(dict.fromkeys(line.description for line in change.lines if line.amount_minor > 0))
