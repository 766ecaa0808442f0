"""Close an account: what it owes is collected first, all that it has ends with what is paid, and nothing is bought."""

from datetime import datetime

from accounts.create_account import mark_closed
from accounts.lock import account_lock
from accounts.models import CONTRACT_TYPES, Account, SubsAccount, Zone

from .cfstripe.errors import StripeUnavailable
from .changes_calculator.request import (
    ChangeRefused,
    ChangeRequest,
    ObjectKind,
    Origin,
    PaymentUnavailable,
    Refusal,
    Want,
)
from .changes_calculator.scheduled import take_back
from .changes_calculator.steps import Step
from .changes_calculator.submit import submit
from .changes_calculator.supersede import abandon
from .changes_calculator.validate import MESSAGES
from .models.changes import ChangeClaim, ChangeWorkflow
from .models.objectproducts import Ope
from .models.scheduled import Sslc
from .payments.collect import collect
from .payments.pay_invoice import unpaid_invoices
from .remove_zone import remove_zone

BALANCE = Refusal("outstanding_balance", "The account owes money. It can be closed once its invoices are paid.")
CONTRACT = Refusal("not_self_serve", "This account is billed by contract. Your account team can close it.")
CLOSING = Refusal("change_abandoned", "It was given up before it was paid, because the account was closed.")


def close_account(account_id: str, *, actor: str, now: datetime) -> None:
    """
    Collect what is unpaid, end all that the account has, with the periods that are paid, and close it.

    What waits for its customer is given up, a smaller plan that was to come too. Zones are removed, and their
    domains are free; members still see what was billed. Not in a transaction; safe to repeat, after a failure too.

    :raises ChangeRefused: the account still owes, is billed by contract, or a change is being made this moment.
    :raises AttemptInFlight: an invoice is being charged this moment; ask again in a moment.
    :raises PaymentUnavailable: the processor does not answer. Nothing was ended.
    :raises TooLate: what was scheduled is being made in these minutes.
    """
    if Account.objects.get(pk=account_id).closed_at is not None:
        return
    if SubsAccount.objects.get(account=account_id).account_type in CONTRACT_TYPES:
        raise ChangeRefused(CONTRACT)
    _collect(account_id, now=now)
    for workflow in ChangeWorkflow.objects.filter(account=account_id, step=Step.AWAITING_PAYMENT.value):
        abandon(workflow.pk, CLOSING, now=now)
    for subscription_id in _becoming_smaller(account_id):
        take_back(account_id, subscription_id, actor=actor, now=now)
    with account_lock(account_id):
        if ChangeClaim.objects.filter(account=account_id).exists():
            raise ChangeRefused(Refusal("change_in_flight", MESSAGES["change_in_flight"]))
        if unpaid_invoices(account_id):
            raise ChangeRefused(BALANCE)
        for zone in Zone.objects.filter(account=account_id, deleted_at__isnull=True).order_by("pk"):
            remove_zone(zone, actor=actor, now=now)
        _end_plans_of_account(account_id, actor=actor, now=now)
        mark_closed(account_id, actor=actor, now=now)


def _collect(account_id: str, *, now: datetime) -> None:
    """Charge what is open to the account's methods. What no bank gives stays unpaid."""
    try:
        for invoice in unpaid_invoices(account_id):
            collect(invoice, now=now)
    except StripeUnavailable as error:
        raise PaymentUnavailable("The payment processor does not answer. Nothing was ended; ask again.") from error
    if unpaid_invoices(account_id):
        raise ChangeRefused(BALANCE)


def _becoming_smaller(account_id: str) -> list[str]:
    """Subscriptions that something smaller would follow; it would be bought, or stand in the way of the end."""
    waiting = Sslc.objects.filter(account=account_id, ended_at__isnull=True, schedule__isnull=False)
    return [sslc.subscription_id for sslc in waiting if _goes_on(sslc)]


def _goes_on(sslc: Sslc) -> bool:
    later = (ope.scheduled for ope in Ope.objects.filter(pk__in=sslc.ope_ids, kind=Ope.Kind.ENUM))
    tiers = [phase for phase in later if phase is not None]
    return not tiers or any(phase.rank > 0 for phase in tiers)


def _end_plans_of_account(account_id: str, *, actor: str, now: datetime) -> None:
    """End what hangs on no zone; domains end at the registrar, which nobody pays for a closed account."""
    tiers = Ope.objects.filter(account=account_id, object_id=account_id, kind=Ope.Kind.ENUM, deleted_date__isnull=True)
    wants = tuple(
        Want(ObjectKind.ACCOUNT, account_id, ope.current.rate_plan_id, ope.current.interval, is_cancellation=True)
        for ope in tiers
    )
    if wants:
        submit(
            ChangeRequest(
                account_id=account_id,
                wants=wants,
                origin=Origin.SYSTEM,
                actor=actor,
                on_session=False,
                requested_at=now,
            )
        )
