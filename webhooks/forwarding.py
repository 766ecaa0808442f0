"""
The second stage: hand each stored event to its use case, once.

An event says where to look, not what to do: the newest state of its object decides. So order does not matter, a
repeat finds nothing left to do, and what counts as a duplicate is what was *processed*, not what was received.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.db import OperationalError, transaction
from prometheus_client import Counter, Histogram

from accounts import journal
from accounts.claim import LeaseLost, claim, give_back, release
from accounts.lock import AccountBusy, lock_accounts
from accounts.models import SubsStuckEvent
from accounts.retry import backoff
from accounts.stuck import open_stuck
from billing.cfstripe import invoices, mirror
from billing.cfstripe.client import API_VERSION
from billing.cfstripe.errors import StripeUnavailable
from billing.cfstripe.references import References, references
from billing.payments.attempts import PaymentNotShown
from billing.payments.charges import PaymentUnknown
from config import clock
from config.correlation import part_of

from .failures import place_of
from .handler_registry import ROUTES, endpoint_of
from .handlers.arrival import Arrival
from .models import StripeEvent
from .replay import replay
from .resolve import accounts_of, completed, is_foreign

logger = structlog.get_logger()

Outcome = StripeEvent.Outcome
Reason = SubsStuckEvent.Reason

BUSY_SECONDS = 0.1
# The waits of accounts/retry.py before this many failures add up to two hours: longer than an outage of one.
ATTEMPTS_BEFORE_STUCK = 8
# What passes by itself; any other error is the handler's.
PASSING_ERRORS = (StripeUnavailable, OperationalError, PaymentUnknown)

FOREIGN = Counter("paygo_webhook_foreign_total", "Events of other products on the same Stripe account.", ["product"])
PROCESSED = Counter(
    "paygo_webhook_processed_total", "Processed events, by endpoint and outcome.", ["endpoint", "outcome"]
)
STUCK = Counter("paygo_webhook_stuck_total", "Events that began to wait for somebody, by reason.", ["reason"])
FAILED = Counter("paygo_webhook_failed_total", "Attempts that failed, by endpoint.", ["endpoint"])
LATENCY = Histogram(
    "paygo_webhook_latency_seconds",
    "From an event's receipt to its effect in the engine.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3600),
)


class Overtaken(Exception):
    """A newer state of the object was recorded while we looked; what we hold must not be applied any more."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest known state of an object; `seen_at` is Stripe's clock."""

    object: dict[str, Any]
    seen_at: datetime


def forward_due(*, now: datetime, limit: int = 100) -> int:
    """
    Take up to `limit` due events, deal with each in a transaction of its own, and return how many were taken.

    None of them holds up another: one that fails is tried again later, and in the end waits as stuck.
    """
    events = claim(StripeEvent, "processed_at IS NULL", now=now, limit=limit)
    for event in events:
        with structlog.contextvars.bound_contextvars(event_id=event.pk, event_type=event.type), part_of(event.pk):
            try:
                _forward_or_put_off(event, now)
            except LeaseLost:
                logger.info("webhook.taken_over")
    return len(events)


def _forward_or_put_off(event: StripeEvent, now: datetime) -> None:
    """:raises LeaseLost: somebody else has the event by now; what was done here does not stand."""
    try:
        _forward(event, references(event.payload["data"]["object"]), now)
    except AccountBusy:
        give_back(event, for_seconds=BUSY_SECONDS)
    except Overtaken:
        give_back(event)
    except LeaseLost:
        raise
    except Exception as error:  # noqa: BLE001  whatever is wrong with one event must not stop the others
        _put_off(event, error, now)


def _forward(event: StripeEvent, named: References, now: datetime) -> None:
    """
    Apply the event and mark it in one transaction: what it did stands only if it is marked, and once.

    :raises AccountBusy: somebody else is writing about the account.
    :raises Overtaken: take the event again.
    """
    if event.api_version != API_VERSION:
        _stick(event, Reason.VERSION, event.api_version, named, now)
        return
    if is_foreign(named):
        FOREIGN.labels(named.product[:40]).inc()
        with transaction.atomic():
            _mark(event, Outcome.FOREIGN, None, now)
        return

    newest = _newest(event)
    account_ids = _apply_if_shown(event, newest, named, now)
    if not account_ids and not named.customer_id:
        named = completed(named)
        account_ids = _apply_if_shown(event, newest, named, now) if named.customer_id else ()
    if len(account_ids) > 1:
        _stick(event, Reason.MERGED_ACCOUNT, named.customer_id, named, now)
    elif not account_ids:
        _stick(event, Reason.UNKNOWN_CUSTOMER, event.type, named, now)
        if accounts_of(named).exists():
            # The mapping was committed after we looked: its journal entry may have found nothing waiting yet.
            replay(StripeEvent.objects.filter(pk=event.pk), now=now)


def _apply_if_shown(event: StripeEvent, newest: Newest, named: References, now: datetime) -> tuple[str, ...]:
    """Apply it as far as it is known to us; what events don't carry is asked for, once it is needed."""
    try:
        return _apply_if_known(event, newest, named, now)
    except PaymentNotShown:
        return _apply_if_known(event, _asked(newest.object, later_than=newest.seen_at), named, now)


def _apply_if_known(event: StripeEvent, newest: Newest, named: References, now: datetime) -> tuple[str, ...]:
    """Look whose it is and lock them with one statement; apply it if it is one account's. Return all whose it is."""
    with lock_accounts(accounts_of(named), wait=False) as account_ids:
        if len(account_ids) == 1:
            _apply(event, newest, account_ids[0], now)
    return account_ids


def _newest(event: StripeEvent) -> Newest:
    """
    Return the event's own state if it is newer than what we know, else what Stripe says now.

    No transaction is open here, because Stripe may have to be asked.
    """
    carried = event.payload["data"]["object"]
    known_at = mirror.seen_at(carried["id"])
    if known_at is None or known_at < event.created_at:
        is_invoice = carried["object"] == "invoice"
        return Newest(invoices.whole(carried) if is_invoice else carried, event.created_at)
    return _asked(carried, later_than=known_at)


def _asked(carried: dict[str, Any], *, later_than: datetime) -> Newest:
    """Return what Stripe says of the object now; newer than what we knew before asking, whatever the clocks say."""
    asked_at = max(clock.now(), later_than + timedelta(microseconds=1))
    return Newest(mirror.fetch(carried["object"], carried["id"]), asked_at)


def _apply(event: StripeEvent, newest: Newest, account_id: str, now: datetime) -> None:
    """Mirror the object, do what follows from it, and mark the event; in the caller's transaction."""
    if not mirror.remember([newest.object], account_id=account_id, seen_at=newest.seen_at):
        raise Overtaken
    arrival = Arrival(event_id=event.pk, event_type=event.type, object=newest.object, account_id=account_id, now=now)
    outcome = Outcome.CHANGED if ROUTES[event.type](arrival) else Outcome.NOTHING
    _mark(event, outcome, account_id, now)


def _mark(event: StripeEvent, outcome: StripeEvent.Outcome, account_id: str | None, now: datetime) -> None:
    """Write down what became of the event, and that it is done; in the transaction of what it did."""
    processed = journal.Fact(
        "stripe.event_processed",
        account_id,
        actor="system:pipe",
        cause=f"stripe:{event.pk}",
        after={"type": event.type, "outcome": outcome.value},
    )
    journal.emit(processed, at=now)
    processed_at = clock.machine_now()
    release(event, processed_at=processed_at, outcome=outcome, account_id=account_id or "", last_error="")
    transaction.on_commit(partial(_count, event, outcome, (processed_at - event.received_at).total_seconds()))


def _count(event: StripeEvent, outcome: StripeEvent.Outcome, seconds: float) -> None:
    PROCESSED.labels(endpoint_of(event.type), outcome.value).inc()
    LATENCY.observe(seconds)


def _put_off(event: StripeEvent, error: Exception, now: datetime) -> None:
    """Count the failed attempt and try again later, or not again. Says where it failed, not with which values."""
    place = place_of(error)
    attempts = event.attempts + 1
    logger.error("webhook.failed", error=place, attempts=attempts)
    FAILED.labels(endpoint_of(event.type)).inc()
    if attempts < ATTEMPTS_BEFORE_STUCK:
        release(event, attempts=attempts, next_at=now + backoff(event.attempts), last_error=place)
        return
    reason = Reason.RETRIES_EXHAUSTED if isinstance(error, PASSING_ERRORS) else Reason.HANDLER_ERROR
    _stick(event, reason, place, references(event.payload["data"]["object"]), now)


def _stick(event: StripeEvent, reason: Reason, signature: str, named: References, now: datetime) -> None:
    """Keep the event until somebody, or the customer's mapping, has it taken up again."""
    with transaction.atomic():
        open_stuck(
            source=SubsStuckEvent.Source.STRIPE,
            external_id=event.pk,
            kind=event.type,
            reason=reason,
            signature=signature,
            customer_reference=named.customer_id,
            now=now,
        )
        release(event, processed_at=clock.machine_now(), outcome=Outcome.STUCK)
    STUCK.labels(reason.value).inc()
    logger.warning("webhook.stuck", reason=reason.value)
