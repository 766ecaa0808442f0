"""Pay one invoice now, while the customer is there: with the method they choose, and confirmed if the bank asks."""

from dataclasses import dataclass
from datetime import datetime

from accounts.lock import account_lock

from ..cfstripe import invoices, payment_intents
from ..cfstripe.errors import StripeUnavailable
from ..cfstripe.shapes import read_invoice
from ..changes_calculator.request import PaymentDeclined, PaymentUnavailable
from ..invoicing.states import InvoiceStatus
from ..models.invoices import Invoice, PaymentAttempt
from ..models.methods import PaymentMethod
from . import attempts
from .candidates import candidates
from .charge_apart import is_apart, waiting
from .collect import charge, hold, refuse_while_acted_upon
from .declines import CAP_TRIES, told

Status = PaymentAttempt.Status
UNPAID = (InvoiceStatus.OPEN.value, InvoiceStatus.UNCOLLECTIBLE.value)


class InvoiceUnknown(Exception):
    """The account has no such invoice."""


class MethodUnknown(Exception):
    """The account has no such payment method."""


class NotPayable(Exception):
    """This invoice is not paid by this road; `code` says why, the message what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Payment:
    """Where an invoice stands after a try: paid, or waiting for the customer, who confirms with the secret."""

    invoice_id: str
    is_paid: bool
    client_secret: str = ""


def unpaid_invoices(account_id: str) -> list[Invoice]:
    """Return what the account owes, the oldest first. One statement."""
    return list(Invoice.objects.filter(account=account_id, status__in=UNPAID).order_by("created_at", "pk"))


def pay_invoice(account_id: str, *, invoice_id: str = "", method_id: str = "", now: datetime) -> Payment:
    """
    Charge one unpaid invoice to the method that the customer chose, by default the primary one.

    Without an invoice named it is the oldest unpaid one. One that is paid already is a success: nothing is charged.
    Asked many times at once it is one charge. No other method is tried. Not in a transaction.

    :raises InvoiceUnknown: not an invoice of this account.
    :raises MethodUnknown: not a stored method of this account.
    :raises NotPayable: there is nothing to pay here, or nothing to pay it with.
    :raises PaymentDeclined: the bank said no; the message says what to do.
    :raises AttemptInFlight: it is being charged this moment; ask again in a moment.
    :raises PaymentUnavailable: the processor does not answer; what became of it is found out.
    """
    invoice = _invoice(account_id, invoice_id)
    attempt = _begin(invoice, method_id, now=now)
    if attempt is None:
        return Payment(invoice.pk, is_paid=True) if invoice.status == InvoiceStatus.PAID.value else _secret(invoice)
    try:
        charge(attempt, now=now)
        if attempt.status == Status.ACTION_REQUIRED:
            return _secret(invoice)
    except StripeUnavailable as error:
        raise PaymentUnavailable(
            "The payment processor does not answer. Ask again to see what became of it."
        ) from error
    if attempt.status != Status.SUCCEEDED:
        raise PaymentDeclined("payment_declined", told(attempt.code), workflow_id="")
    return Payment(invoice.pk, is_paid=True)


def _invoice(account_id: str, invoice_id: str) -> Invoice:
    if not invoice_id:
        unpaid = unpaid_invoices(account_id)
        if not unpaid:
            raise NotPayable("nothing_to_pay", "No invoice of this account is unpaid.")
        return unpaid[0]
    invoice = Invoice.objects.filter(account=account_id, pk=invoice_id).first()
    if invoice is None or invoice.status == InvoiceStatus.DRAFT.value:
        raise InvoiceUnknown(invoice_id)
    return invoice


def _begin(invoice: Invoice, method_id: str, *, now: datetime) -> PaymentAttempt | None:
    """
    Return the attempt to make now; None if it is paid by now, or there is no method and the customer has to bring one.
    """
    with account_lock(invoice.account_id):
        invoice.refresh_from_db()
        if invoice.status == InvoiceStatus.PAID.value:
            return None
        if invoice.status not in UNPAID:
            raise NotPayable("nothing_to_pay", "This invoice is not owed any more.")
        if not invoice.stripe_invoice_id:
            raise NotPayable("not_self_serve", "This invoice is paid as the contract says. Contact your account team.")
        refuse_while_acted_upon(invoice)
        attempt = attempts.in_flight(invoice)
        if attempt is None:
            if is_apart(invoice) and waiting(invoice) is not None:
                return None
            method = _method(invoice, method_id, now=now)
            if method is None:
                return None
            attempt = attempts.begin(invoice, method, on_session=True, now=now)
        hold(attempt, now=now)
        return attempt


def _method(invoice: Invoice, method_id: str, *, now: datetime) -> PaymentMethod | None:
    """Return the method to charge, None if none was named and none is primary."""
    mine = candidates(invoice, now=now)
    chosen = next((each for each in mine if (each.id == method_id if method_id else each.is_default)), None)
    if chosen is None and method_id:
        raise MethodUnknown(method_id)
    if chosen is None or (not chosen.is_usable and not method_id):
        return None
    if not chosen.is_usable:
        raise NotPayable("method_unusable", "The bank does not allow this method any more. Use another one.")
    if chosen.tries_of_card >= CAP_TRIES:
        raise NotPayable("card_tried_too_often", "This card was declined too often lately. Use another one.")
    return PaymentMethod.objects.get(pk=chosen.id)


def _secret(invoice: Invoice) -> Payment:
    """Return what the customer confirms the payment with, or that it was paid meanwhile."""
    if is_apart(invoice):
        return _secret_apart(invoice)
    try:
        facts = read_invoice(invoices.retrieve(invoice.stripe_invoice_id))
    except StripeUnavailable as error:
        raise PaymentUnavailable("The payment processor does not answer. Ask again in a moment.") from error
    return Payment(invoice.pk, is_paid=facts.is_paid, client_secret="" if facts.is_paid else facts.client_secret)


def _secret_apart(invoice: Invoice) -> Payment:
    """The same for a payment that is not the invoice's own; it needs a method to begin with."""
    attempt = waiting(invoice)
    if attempt is None:
        raise NotPayable("payment_method_required", "Store a payment method first, then pay with it.")
    try:
        raw = payment_intents.retrieve(attempt.stripe_payment_intent_id)
    except StripeUnavailable as error:
        raise PaymentUnavailable("The payment processor does not answer. Ask again in a moment.") from error
    is_paid = raw["status"] == "succeeded"
    return Payment(invoice.pk, is_paid=is_paid, client_secret="" if is_paid else raw["client_secret"])
