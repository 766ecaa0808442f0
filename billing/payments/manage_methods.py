"""What customers do with their payment methods: begin to add, add, edit, choose as the primary one, remove."""

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from accounts.lock import account_lock

from ..cfstripe import mirror, payment_methods, setup_intents
from ..cfstripe.errors import StripeActionRequired, StripeDeclined, StripeRefused, StripeUnavailable
from ..cfstripe.shapes import Raw, id_of
from ..changes_calculator.request import PaymentDeclined, PaymentUnavailable
from ..customers import ensure_customer
from ..models.changes import ChangeWorkflow
from ..models.invoices import BillingSchedule, Invoice, PaymentAttempt
from ..models.methods import PaymentMethod
from . import methods
from .declines import told
from .pay_invoice import UNPAID, MethodUnknown
from .removal import Needed, why_kept

SILENT = "The payment processor does not answer. Nothing was changed; ask again in a moment."


class MethodKept(Exception):
    """The method may not be removed; `code` says why, the message what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnknownNonce(Exception):
    """What was sent is no payment method that the processor knows, or it is somebody else's."""

    code = "unknown_nonce"


def begin_adding(account_id: str, *, now: datetime) -> str:
    """
    Return the secret with which a browser gives a new method to the processor, to be kept for later charges.

    :raises PaymentUnavailable: the processor does not answer.
    """
    try:
        params = {"customer": ensure_customer(account_id, now=now), "usage": "off_session"}
        return str(setup_intents.create(params, key=f"setup_{uuid4().hex}")["client_secret"])
    except StripeUnavailable as error:
        raise PaymentUnavailable(SILENT) from error


def stored_methods(account_id: str) -> list[PaymentMethod]:
    """Return the account's methods, the primary one first, then the oldest. One statement."""
    stored = PaymentMethod.objects.filter(account=account_id, deleted_at__isnull=True)
    return list(stored.order_by("-is_default", "created_at", "pk"))


def the_method(account_id: str, method_id: str) -> PaymentMethod:
    """
    Return one stored method of the account.

    :raises MethodUnknown: it has no such method.
    """
    method = PaymentMethod.objects.filter(account=account_id, pk=method_id, deleted_at__isnull=True).first()
    if method is None:
        raise MethodUnknown(method_id)
    return method


def add_method(account_id: str, *, nonce: str, as_default: bool, actor: str, now: datetime) -> PaymentMethod:
    """
    Attach what the browser made at the processor (`pm_…`) to the account, and return it. Safe to repeat.

    The first method of an account becomes the primary one.

    :raises UnknownNonce: there is no such method, or it belongs to another.
    :raises PaymentDeclined: the bank does not let the card be kept.
    :raises PaymentUnavailable: the processor does not answer; nothing is lost by asking again.
    """
    try:
        customer_id = ensure_customer(account_id, now=now)
        raw = _attached(nonce, customer_id)
    except StripeDeclined as declined:
        raise PaymentDeclined("payment_declined", told(declined.code), workflow_id="") from declined
    except (StripeRefused, StripeActionRequired) as error:
        raise UnknownNonce("The processor does not know this payment method. Ask for a new client secret.") from error
    except StripeUnavailable as error:
        raise PaymentUnavailable(SILENT) from error
    with account_lock(account_id):
        methods.remember(raw, account_id=account_id, now=now, actor=actor)
        mirror.remember([raw], account_id=account_id, seen_at=mirror.seen_by_own_call(now))
        method = PaymentMethod.objects.get(processor_id=raw["id"])
    if as_default or method.is_default:
        choose_default(account_id, method.pk, actor=actor, now=now)
        method.refresh_from_db()
    return method


def edit_method(
    account_id: str, method_id: str, *, details: Mapping[str, object], as_default: bool, actor: str, now: datetime
) -> PaymentMethod:
    """
    Write the name and address of who holds a method, at the processor; make it the primary one if asked to.

    :raises MethodUnknown: the account has no such method.
    :raises PaymentUnavailable: the processor does not answer.
    """
    method = the_method(account_id, method_id)
    if details:
        try:
            raw = payment_methods.update(method.processor_id, details, key=f"edit_{uuid4().hex}")
        except StripeUnavailable as error:
            raise PaymentUnavailable(SILENT) from error
        with account_lock(account_id):
            methods.note_edited(method, actor=actor, now=now)
            # Not before the second of the call, as elsewhere: the answer counts as newer than that of adding it.
            mirror.remember([raw], account_id=account_id, seen_at=now)
    if as_default and not method.is_default:
        choose_default(account_id, method_id, actor=actor, now=now)
        method.refresh_from_db()
    return method


def choose_default(account_id: str, method_id: str, *, actor: str, now: datetime) -> None:
    """
    Make a method the one that everything is charged to: the customer and every live subscription at the processor.

    Safe to repeat.

    :raises MethodUnknown: the account has no such method.
    :raises MethodKept: it may not be charged any more.
    :raises PaymentUnavailable: the processor does not answer.
    """
    method = the_method(account_id, method_id)
    if not method.is_usable:
        raise MethodKept("method_unusable", "The bank does not allow this method any more. Choose another one.")
    try:
        methods.charge_from_now_on(
            account_id, ensure_customer(account_id, now=now), method.processor_id, key=f"default_{uuid4().hex}"
        )
    except StripeUnavailable as error:
        raise PaymentUnavailable(SILENT) from error
    with account_lock(account_id):
        methods.make_default(method, actor=actor, now=now)


def remove_method(account_id: str, method_id: str, *, actor: str, now: datetime) -> None:
    """
    Detach a method at the processor and forget it, unless something still needs it. Safe to repeat.

    :raises MethodUnknown: the account has no such method.
    :raises MethodKept: see `removal.py`.
    :raises PaymentUnavailable: the processor does not answer; the method stays.
    """
    method = the_method(account_id, method_id)
    kept = why_kept(_needed(method))
    if kept is not None:
        raise MethodKept(kept.code, kept.message)
    try:
        payment_methods.detach(method.processor_id, key=f"detach_{method.pk}")
    except StripeUnavailable as error:
        raise PaymentUnavailable(SILENT) from error
    with account_lock(account_id):
        methods.remove(method, actor=actor, now=now)


def _attached(nonce: str, customer_id: str) -> Raw:
    """Return the method, attached; one that a confirmed SetupIntent has attached already stays as it is."""
    raw = payment_methods.retrieve(nonce)
    if id_of(raw.get("customer")) == customer_id:
        return raw
    return payment_methods.attach(nonce, customer_id, key=f"attach_{customer_id}_{nonce}")


def _needed(method: PaymentMethod) -> Needed:
    others = PaymentMethod.objects.filter(account=method.account_id, deleted_at__isnull=True, is_usable=True)
    waiting = ChangeWorkflow.objects.filter(account=method.account_id, finished_at__isnull=True)
    return Needed(
        is_being_charged=PaymentAttempt.objects.filter(method=method, status=PaymentAttempt.Status.IN_FLIGHT).exists(),
        is_default=method.is_default,
        other_usable_methods=others.exclude(pk=method.pk).count(),
        has_paid_subscription=BillingSchedule.objects.filter(
            account=method.account_id, ended_at__isnull=True, owner=BillingSchedule.Owner.STRIPE
        ).exists(),
        owes=Invoice.objects.filter(account=method.account_id, status__in=UNPAID).exists(),
        waits_for_payment=waiting.filter(plan__method_id=method.pk).exists(),
    )
