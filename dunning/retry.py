"""When is an invoice charged again? Due times are rows; this says which. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.payments.declines import DeclineClass

from .facts import AccountFacts, Failure, InvoiceFacts, Outage
from .policy import LEAST_HOURS_BETWEEN_RETRIES, RETRY_SOON_AFTER_HOURS, RETRY_SOON_TIMES, Cell

NOT_BY_TIME = frozenset({DeclineClass.NEVER_AGAIN, DeclineClass.CUSTOMER_MUST_ACT})


MILDEST_FIRST = tuple(DeclineClass)


@dataclass(frozen=True, slots=True)
class Standing:
    """
    Where an open invoice stands on its schedule.

    `scheduled_failures` counts the failed charges of the schedule, the first one included, quick repeats not.
    `next_at` None: no charge will be made by time alone. `is_over`: neither a charge nor grace remains.
    """

    scheduled_failures: int
    next_at: datetime | None
    waits_for_customer: bool
    is_over: bool
    grace_ends_at: datetime | None


def standing_of(invoice: InvoiceFacts, facts: AccountFacts, cell: Cell) -> Standing:
    """
    Return where an open invoice stands, as of the facts' moment, from its own failures alone.

    Nothing is remembered between decisions: when older invoices are paid and another becomes the one that counts,
    it stands where its own charges have brought it, and no level is skipped.
    """
    counted, repeats = _counted(invoice.failures)
    waits = _waits_for_customer(invoice, facts)
    next_at = None if waits else _next_at(invoice, counted, repeats, facts, cell)
    begun_at = invoice.failures[0].at if invoice.failures else invoice.finalized_at
    grace_ends_at = after(begun_at, cell.grace_hours, facts.outages)
    grace_is_over = grace_ends_at is not None and grace_ends_at <= facts.as_of
    retries_are_over = counted > len(cell.retry_after_hours)
    is_over = grace_is_over if cell.waits_out_grace else retries_are_over or (waits and grace_is_over)
    return Standing(
        scheduled_failures=counted,
        next_at=next_at,
        waits_for_customer=waits,
        is_over=is_over and next_at is None,
        grace_ends_at=grace_ends_at,
    )


def rounds(failures: Sequence[Failure]) -> tuple[Failure, ...]:
    """
    Return failed charges as rounds, in order of time: when the primary method fails each other one is tried at once.

    A round counts as one, and is as hopeful as the mildest of its declines.
    """
    found: list[Failure] = []
    for failure in sorted(failures, key=lambda each: each.at):
        if found and failure.at - found[-1].at < timedelta(hours=RETRY_SOON_AFTER_HOURS):
            mildest = min(found[-1].decline_class, failure.decline_class, key=MILDEST_FIRST.index)
            found[-1] = Failure(found[-1].at, mildest)
        else:
            found.append(failure)
    return tuple(found)


def after(start_at: datetime, hours: float, outages: Sequence[Outage]) -> datetime | None:
    """
    Return when `hours` have passed since `start_at`, not counting outages; None while one that lasts is in the way.

    An hour in which nobody could be charged ages nobody.
    """
    at, left = start_at, timedelta(hours=hours)
    for outage in sorted(outages, key=lambda each: each.started_at):
        if outage.ended_at is not None and outage.ended_at <= at:
            continue
        if at + left <= outage.started_at:
            break
        left -= max(outage.started_at - at, timedelta(0))
        if outage.ended_at is None:
            return None
        at = max(outage.ended_at, at)
    return at + left


def _counted(failures: Sequence[Failure]) -> tuple[int, int]:
    """Return how many failures count on the schedule, and how many quick repeats were made since the last of them."""
    counted, repeats = 0, 0
    previous: Failure | None = None
    for failure in failures:
        is_repeat = (
            previous is not None
            and previous.decline_class is DeclineClass.RETRY_SOON
            and repeats < RETRY_SOON_TIMES
            and failure.at - previous.at < timedelta(hours=LEAST_HOURS_BETWEEN_RETRIES)
        )
        counted, repeats = (counted, repeats + 1) if is_repeat else (counted + 1, 0)
        previous = failure
    return counted, repeats


def _waits_for_customer(invoice: InvoiceFacts, facts: AccountFacts) -> bool:
    """Whether a charge is no use before the customer has done something: given a method, or confirmed one."""
    usable = [method for method in facts.methods if method.is_usable]
    if not usable:
        return True
    if not invoice.failures or invoice.has_untried or invoice.failures[-1].decline_class not in NOT_BY_TIME:
        return False
    return all(method.usable_since <= invoice.failures[-1].at for method in usable)


def _next_at(invoice: InvoiceFacts, counted: int, repeats: int, facts: AccountFacts, cell: Cell) -> datetime | None:
    """When the next charge is due; at once when none was made, or when a method is new since one that was no use."""
    if not invoice.failures:
        return invoice.finalized_at
    last = invoice.failures[-1]
    if invoice.has_untried:
        return last.at  # the same round goes on with the next method
    if last.decline_class in NOT_BY_TIME:
        return max(method.usable_since for method in facts.methods if method.is_usable)
    if last.decline_class is DeclineClass.RETRY_SOON and repeats < RETRY_SOON_TIMES:
        return last.at + timedelta(hours=RETRY_SOON_AFTER_HOURS)
    if counted > len(cell.retry_after_hours):
        return None
    due_at = after(invoice.failures[0].at, sum(cell.retry_after_hours[:counted]), facts.outages)
    least_at = last.at + timedelta(hours=LEAST_HOURS_BETWEEN_RETRIES)
    return max(due_at, least_at) if due_at is not None else None
