"""An event of the registrar's, acted on once: a charge that is to be made, or a change that costs nothing."""

from datetime import datetime, timedelta
from hashlib import sha256

from accounts import journal
from accounts.lock import account_lock
from config import wake

from .changes_calculator.domains import domain_id, plan_name_of
from .changes_calculator.request import (
    ChangeRequest,
    ObjectKind,
    Origin,
    Outcome,
    Registration,
    RegistrationWish,
    Want,
)
from .changes_calculator.submit import submit
from .models.domains import DomainCharge, DomainEvent
from .models.objectproducts import Ope
from .queues.read_event import EventKind, RegistrarEvent

ACTOR = "service:registrar"
# A renewal is asked for so many days before the domain expires, until one is paid.
TRY_DAYS_BEFORE_EXPIRY = (30, 14, 5, 1)
ASKS_FOR_PAYMENT = frozenset({EventKind.REGISTERED, EventKind.TRANSFERRED_IN, EventKind.RENEWED})
ENDS = frozenset({EventKind.EXPIRED, EventKind.DELETED})


def act_on(event: RegistrarEvent, *, now: datetime) -> str:
    """
    Do what the event asks, in one transaction with the row that says it is done; return what came of it.

    The same event again does nothing again. What asks for money becomes a charge, which `charge_domains.py` makes;
    everything else is a change through the one road, made here.

    :raises Account.DoesNotExist: there is no such account.
    :raises ChangeRefused: another change of this domain is under way.
    :raises AccountBusy: somebody is changing the account this moment.
    """
    with account_lock(event.account_id):
        known = DomainEvent.objects.filter(pk=event.id).first()
        if known is not None:
            return known.outcome
        if event.kind in ASKS_FOR_PAYMENT:
            outcome = _ask_for(event, now=now)
        elif _is_old(event):
            outcome = "outdated"
        else:
            _end_charges(event, now=now)
            outcome = submit(change_of(event, wish=_wish(event), change_id=_id(event), now=now)).outcome.value
        DomainEvent.objects.create(
            id=event.id,
            account_id=event.account_id,
            kind=event.kind.value,
            domain=event.domain,
            occurred_at=event.occurred_at,
            processed_at=now,
            outcome=outcome,
        )
        after = {"event_id": event.id, "type": event.kind.value, "outcome": outcome}
        told = journal.Fact("domain.event_processed", event.account_id, ACTOR, cause=event.id, after=after)
        journal.emit(told, at=now)
    return outcome


def change_of(
    event: RegistrarEvent | DomainCharge, *, wish: RegistrationWish, change_id: str, now: datetime
) -> ChangeRequest:
    """Return the change that asks for this of the domain; nobody is there to confirm a payment."""
    want = Want(
        object_kind=ObjectKind.DOMAIN,
        object_id=domain_id(event.domain),
        plan_name=plan_name_of(event.domain),
        interval_name="yearly",
        registration=Registration(event.domain, wish, event.expires_at, event.years),
    )
    return ChangeRequest(
        account_id=event.account_id,
        wants=(want,),
        origin=Origin.CF_QUEUES,
        actor=ACTOR,
        on_session=False,
        requested_at=now,
        id=change_id,
    )


def _ask_for(event: RegistrarEvent, *, now: datetime) -> str:
    """Write what is to be paid, unless that is written or paid already."""
    held = _held(event)
    until = held.current.ends_at if held else None
    if until is not None and until >= event.expires_at:
        return Outcome.UNCHANGED.value
    renews_at = until if event.kind is EventKind.RENEWED else None
    first = max(now, renews_at - timedelta(days=TRY_DAYS_BEFORE_EXPIRY[0])) if renews_at else now
    charge, is_new = DomainCharge.objects.get_or_create(
        account_id=event.account_id,
        domain=event.domain,
        expires_at=event.expires_at,
        defaults={"kind": event.kind.value, "years": event.years, "renews_at": renews_at, "next_at": first},
    )
    if not is_new:
        if charge.ended_at is None:
            return Outcome.UNCHANGED.value
        # The registrar asks again: for what was called off, or could not be paid.
        DomainCharge.objects.filter(pk=charge.pk).update(outcome="", ended_at=None, next_at=first)
    wake.wake("billing.charge_domains")
    return "charge_asked"


def _end_charges(event: RegistrarEvent, *, now: datetime) -> None:
    """What is not to be renewed, or is gone, is not charged any more."""
    if event.kind is EventKind.AUTO_RENEW_CHANGED and event.auto_renew:
        return
    waiting = DomainCharge.objects.filter(account=event.account_id, domain=event.domain, ended_at__isnull=True)
    waiting.update(ended_at=now, outcome="not_wanted")


def _is_old(event: RegistrarEvent) -> bool:
    """Whether something newer is known of the domain: messages may overtake each other."""
    held = _held(event)
    if event.kind is EventKind.EXPIRED and held is not None and held.current.ends_at is not None:
        return held.current.ends_at > event.expires_at
    kinds = [event.kind.value] if event.kind is EventKind.AUTO_RENEW_CHANGED else list(ASKS_FOR_PAYMENT)
    newer = DomainEvent.objects.filter(domain=event.domain, account=event.account_id, kind__in=kinds)
    return newer.filter(occurred_at__gt=event.occurred_at).exists()


def _held(event: RegistrarEvent) -> Ope | None:
    return Ope.objects.filter(
        account=event.account_id, object_id=domain_id(event.domain), deleted_date__isnull=True
    ).first()


def _wish(event: RegistrarEvent) -> RegistrationWish:
    if event.kind in ENDS:
        return RegistrationWish.ENDED
    return RegistrationWish.RENEWS if event.auto_renew else RegistrationWish.ENDS_AT_EXPIRY


def _id(event: RegistrarEvent) -> str:
    return sha256(f"registrar:{event.id}".encode()).hexdigest()[:32]
