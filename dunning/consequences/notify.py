"""What customers, and our own finance, are told of debt: once for each invoice and level, by e-mail."""

from collections.abc import Sequence
from datetime import datetime

from accounts.lock import account_lock
from accounts.models import SubsAccount
from accounts.notices.tell import tell
from billing.models.invoices import Invoice

from ..consequence_kinds import Told
from ..models.actions import DunningAction
from .outcome import OVERTAKEN, Done

LAST_WARNING = 5


def notify(action: DunningAction, *, now: datetime) -> Done:
    """
    Write the notice, which leaves by itself; said before, nothing is written again.

    News of a debt that is paid by now would only frighten, and news of its end that came back would mislead: neither is
    told.
    """
    told = Told(action.facts["told"])
    with account_lock(action.account_id):
        invoice = Invoice.objects.filter(pk=action.invoice_id).first() if action.invoice_id else None
        if _is_overtaken(action, told, invoice):
            return Done(code=OVERTAKEN)
        level = int(action.facts.get("level", 0))
        facts = {
            "number": str(invoice) if invoice else "",
            "amount_minor": _owed_minor(action.facts.get("invoice_ids", ())),
            "currency": action.facts.get("currency") or (invoice.currency if invoice else "usd"),
        }
        about = invoice.pk if invoice else action.decision_id
        tell(action.account_id, kind_of(told, level), about=about, level=level, facts=facts, now=now)
    return Done()


def kind_of(told: Told, level: int) -> str:
    """Return the kind of notice: a charge that failed is told more and more urgently."""
    if told is not Told.PAYMENT_FAILED:
        return KINDS[told]
    if level <= 1:
        return "payment_failed"
    return "payment_failed_last_warning" if level >= LAST_WARNING else "payment_failed_warning"


KINDS: dict[Told, str] = {
    Told.ACTION_REQUIRED:  "payment_action_required",
    Told.BAD_DEBT:         "bad_debt",
    Told.RESTORED:         "debt_cleared",
    Told.CONTRACT_OVERDUE: "contract_overdue",
}  # fmt: skip


def _owed_minor(invoice_ids: Sequence[str]) -> int:
    """What is owed now: what was credited since the decision is no debt any more."""
    return sum(invoice.remaining_minor for invoice in Invoice.objects.filter(pk__in=invoice_ids))


def _is_overtaken(action: DunningAction, told: Told, invoice: Invoice | None) -> bool:
    if told is Told.RESTORED:
        return SubsAccount.objects.get(pk=action.account_id).has_bad_debt
    return invoice is not None and not invoice.remaining_minor
