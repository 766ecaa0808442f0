"""
Somebody is erased from everything that says who they are. Ids, amounts and the journal stay: they name nobody.

An account is theirs if its bills go to their address, or if they are its one member. What we know of such an account
at the processor and from its events goes too. Of others they only stop being a member.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts import erase, journal, profile
from accounts.lock import lock_accounts
from accounts.models import Customer, Member, Person, SubsAccount, SubsStuckEvent
from billing.cfstripe import mirror
from billing.changes_calculator.licences import FREE_LICENSE
from billing.invoicing.states import InvoiceStatus
from billing.models.changes import ChangeWorkflow
from billing.models.domains import DomainCharge
from billing.models.invoices import Invoice
from billing.models.objectproducts import Ope
from billing.models.reversals import Dispute, Refund
from billing.payments import methods

from . import prune


class CannotErase(Exception):
    """Something of theirs is not over yet. `reasons` say what, one sentence each; nothing was changed."""

    code = "cannot_erase"

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Known:
    """Where somebody is known. `own` accounts are theirs, `sole` those of them without another member."""

    person: Person | None
    own: tuple[str, ...] = ()
    sole: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def is_nobody(self) -> bool:
        return self.person is None and not self.own

    @property
    def accounts(self) -> tuple[str, ...]:
        return (*self.own, *self.others)


def known(email: str) -> Known:
    """Return where the person with this address is known; a few statements."""
    email = email.strip().lower()
    person = Person.objects.filter(email=email).first()
    billed = set(SubsAccount.objects.filter(email=email).values_list("account_id", flat=True))
    sole = erase.accounts_of_nobody_else(person) if person else set()
    member_of = set(Member.objects.filter(person=person).values_list("account_id", flat=True)) if person else set()
    shared = set(Member.objects.filter(account__in=billed).exclude(person=person).values_list("account_id", flat=True))
    own = billed | sole
    return Known(
        person,
        own=tuple(sorted(own)),
        sole=tuple(sorted(own - shared)),
        others=tuple(sorted(member_of - own)),
    )


def erase_person(email: str, *, actor: str, now: datetime) -> Known:
    """
    Erase the person with this address, in one transaction, and return where they were known. Safe to repeat.

    :raises CannotErase: one of their accounts owes, owns or awaits something.
    :raises AccountBusy: somebody else is writing about one of them.
    """
    with lock_accounts(known(email).accounts):
        found = known(email)
        if reasons := in_the_way(found):
            raise CannotErase(reasons)
        if found.person:
            erase.forget_person(found.person)
        erase.forget_names(found.sole)
        erase.forget_told(found.own)
        profile.forget_buyer(found.sole)
        profile.forget_address(email.strip().lower(), found.own)
        methods.forget(found.own)
        mirror.forget(found.own)
        prune.forget(found.own)
        person = {"person_id": found.person.pk} if found.person else {}
        if found.accounts:
            journal.emit(
                *(journal.Fact("person.erased", account_id, actor, after=person) for account_id in found.accounts),
                at=now,
            )
    return found


_UNPAID = (InvoiceStatus.DRAFT.value, InvoiceStatus.OPEN.value, InvoiceStatus.UNCOLLECTIBLE.value)

# What must be over first, and what it is called.
IN_THE_WAY: dict[str, Callable[[str], QuerySet]] = {  # type: ignore[type-arg]
    "of its invoices are not paid": lambda account_id: Invoice.objects.filter(account=account_id, status__in=_UNPAID),
    "things that it owns are not free": lambda account_id: Ope.objects.filter(
        account=account_id, deleted_date__isnull=True
    ).exclude(license_source_id=FREE_LICENSE),
    "of its changes are under way": lambda account_id: ChangeWorkflow.objects.filter(
        account=account_id, finished_at__isnull=True
    ),
    "of its domains are to be paid": lambda account_id: DomainCharge.objects.filter(
        account=account_id, ended_at__isnull=True
    ),
    "of its refunds are on their way": lambda account_id: Refund.objects.filter(
        account=account_id, ended_at__isnull=True
    ),
    "of its disputes are open": lambda account_id: Dispute.objects.filter(account=account_id, closed_at__isnull=True),
    "things that came from outside wait as stuck": lambda account_id: SubsStuckEvent.objects.filter(
        Q(account=account_id)
        | Q(
            customer_reference__in=Customer.objects.filter(account=account_id)
            .exclude(stripe_customer_id="")
            .values("stripe_customer_id")
        ),
        resolved_at__isnull=True,
    ),
}


def in_the_way(found: Known) -> tuple[str, ...]:
    """Return why this person cannot be erased yet, one sentence for each reason and account."""
    counts = (
        (account_id, what, rows(account_id).count()) for account_id in found.own for what, rows in IN_THE_WAY.items()
    )
    return tuple(f"Account {account_id}: {count} {what}." for account_id, what, count in counts if count)
