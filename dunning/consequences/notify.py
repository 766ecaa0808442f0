"""What customers, and our own finance, are told of debt: once for each invoice and level, by e-mail."""

from collections.abc import Sequence
from datetime import datetime

from accounts.lock import account_lock
from accounts.models import SubsAccount
from accounts.notices.tell import tell
from billing.invoicing.states import InvoiceStatus
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
        facts: dict[str, object] = {
            "number": str(invoice) if invoice else "",
            "amount_minor": _owed_minor(action.facts.get("invoice_ids", ())),
            "currency": action.facts.get("currency") or (invoice.currency if invoice else "usd"),
        }
        if told is Told.RESTORED and facts["amount_minor"]:
            facts["older_minor"] = facts["amount_minor"]
        about = invoice.pk if invoice else action.decision_id
        kind = kind_of(told, level, owes=bool(facts["amount_minor"]))
        tell(action.account_id, kind, about=about, level=level, facts=facts, now=now)
    return Done()


def kind_of(told: Told, level: int, *, owes: bool = True) -> str:
    """
    Return the kind of notice: a charge that failed is told more and more urgently.

    Who used nothing of what was given up owes nothing for it: it has ended, and that is all.
    """
    if told is Told.BAD_DEBT and not owes:
        return "ended_unpaid"
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
    if told is Told.BAD_DEBT and action.facts.get("ended"):
        return invoice is not None and _is_settled(invoice)
    return invoice is not None and not invoice.remaining_minor


def _is_settled(invoice: Invoice) -> bool:
    """Whether the debt went in another way than by the credit for what was not used."""
    money_minor = invoice.paid_minor + invoice.paid_elsewhere_minor + invoice.written_off_minor
    return bool(money_minor) or invoice.status == InvoiceStatus.VOID.value
