"""Pay all that an account owes, at once: each invoice by itself, the one that the customer knows, and none twice."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q

from accounts.models import SubsAccount

from ..invoicing.states import InvoiceStatus
from ..models.invoices import Invoice
from .pay_invoice import pay_invoice


class DebtState(StrEnum):
    """How an account stands with what it owes, in the API's words."""

    NONE = "none"
    UNPAID = "unpaid"
    BAD_DEBT = "bad_debt"


@dataclass(frozen=True, slots=True)
class DebtOfAccount:
    """What is owed, the oldest first, and whether the account is restricted for it."""

    state: DebtState
    invoices: tuple[Invoice, ...]


@dataclass(frozen=True, slots=True)
class DebtPayment:
    """Which invoices are paid now. With a secret the customer confirms one more, then asks again for the rest."""

    paid: tuple[str, ...]
    client_secret: str = ""


def debt_of(account_id: str) -> DebtOfAccount:
    """
    Return what an account owes: invoices that were given up, and open ones whose charge has failed. Two statements.

    One that is about to be charged by itself is no debt yet.
    """
    owed = Invoice.objects.filter(
        Q(status=InvoiceStatus.UNCOLLECTIBLE.value) | (Q(status=InvoiceStatus.OPEN.value) & ~Q(collection_failed="")),
        account=account_id,
    ).order_by("created_at", "pk")
    invoices = tuple(invoice for invoice in owed if invoice.remaining_minor > 0)
    profile = SubsAccount.objects.get(account=account_id)
    if profile.has_bad_debt or any(each.status == InvoiceStatus.UNCOLLECTIBLE.value for each in invoices):
        return DebtOfAccount(DebtState.BAD_DEBT, invoices)
    return DebtOfAccount(DebtState.UNPAID if invoices else DebtState.NONE, invoices)


def pay_bad_debt(account_id: str, *, method_id: str = "", now: datetime) -> DebtPayment:
    """
    Charge every invoice that is owed to the method that the customer chose, by default the primary one, oldest first.

    Each is a charge of its own on the original invoice, of what is left of it. It stops at the first that the bank
    asks about or declines; what was paid before stays paid. Asked again, twice or many times at once, it goes on from
    there: nothing owed is a success. Not in a transaction.

    :raises MethodUnknown, NotPayable, PaymentDeclined, AttemptInFlight, PaymentUnavailable: as `pay_invoice`.
    """
    paid: list[str] = []
    for invoice in debt_of(account_id).invoices:
        payment = pay_invoice(account_id, invoice_id=invoice.pk, method_id=method_id, now=now)
        if not payment.is_paid:
            return DebtPayment(tuple(paid), payment.client_secret)
        paid.append(invoice.pk)
    return DebtPayment(tuple(paid))
