"""
Times in which a processor did not answer: noticed by asking it, or declared by an agent. Sole writer of outages.

An outage ages nobody: clocks are shifted by it (`retry.py`), nothing is done at the processor meanwhile, and nobody is
given up. It is looked for only where work was put off, so that a healthy day asks nothing.
"""

from datetime import datetime

from django.db import connection, transaction

from accounts import journal
from billing.cfstripe import events
from billing.cfstripe.errors import StripeUnavailable
from billing.models.methods import PaymentMethod
from config import wake

from .models.actions import ProcessorOutage

STRIPE = PaymentMethod.Processor.STRIPE.value
WATCHER = "system:outages"

# Work at the processor that was tried and failed, or an attempt that nobody heard of: why else would it wait?
_WAITING = " UNION ALL ".join(
    f"(SELECT min(next_at) FROM {table} WHERE attempts > 0 AND {waits})"  # noqa: S608
    for table, waits in (
        ("invoice_due", "TRUE"),
        ("invoice_act", "done_at IS NULL"),
        ("payment_attempt_due", "TRUE"),
        ("dunning_action", "done_at IS NULL"),
    )
)


class OutageRefused(Exception):
    """There is one already, or none; the message says which."""

    code = "outage_refused"


def watch(*, now: datetime) -> int:
    """
    Ask the processor whether it is there, if something gives reason to; return whether that changed anything.

    An outage begins when it is first seen not to answer, and ends when it first does. One that an agent declared is
    ended by an agent. Not in a transaction.
    """
    lasting = ProcessorOutage.objects.filter(processor=STRIPE, ended_at__isnull=True).first()
    if lasting is not None and lasting.actor != WATCHER:
        return 0
    if lasting is None and not _has_work_put_off():
        return 0
    answers = _answers()
    if answers and lasting is not None:
        end(actor=WATCHER, now=now)
        return 1
    if not answers and lasting is None:
        declare(actor=WATCHER, now=now)
        return 1
    return 0


def declare(*, actor: str, reason: str = "", now: datetime) -> None:
    """
    Write that the processor does not answer, from now on.

    :raises OutageRefused: that is known.
    """
    with transaction.atomic():
        _, is_new = ProcessorOutage.objects.get_or_create(
            processor=STRIPE, ended_at=None, defaults={"started_at": now, "actor": actor}
        )
        if not is_new:
            raise OutageRefused("An outage is declared already.")
        journal.emit(journal.Fact("dunning.outage_began", None, actor, reason=reason, after=_NAMED), at=now)


def end(*, actor: str, reason: str = "", now: datetime) -> None:
    """
    Write that the processor answers again: everything goes on, each clock later by as long as it lasted.

    :raises OutageRefused: there is no outage.
    """
    with transaction.atomic():
        if not ProcessorOutage.objects.filter(processor=STRIPE, ended_at__isnull=True).update(ended_at=now):
            raise OutageRefused("No outage is declared.")
        journal.emit(journal.Fact("dunning.outage_ended", None, actor, reason=reason, after=_NAMED), at=now)
        wake.wake("dunning.carry_out")


def lasts() -> bool:
    """Whether the processor is known not to answer."""
    return ProcessorOutage.objects.filter(processor=STRIPE, ended_at__isnull=True).exists()


_NAMED = {"processor": STRIPE}


def _has_work_put_off() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return any(due_at is not None for (due_at,) in cursor.fetchall())


def _answers() -> bool:
    try:
        events.ask_for_one()
    except StripeUnavailable:
        return False
    return True
