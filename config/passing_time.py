"""
Let business time pass, stop by stop, as it would by itself: nothing due is jumped over.

Each stop is the next time at which the sandbox or the application has something to do. There the sandbox does its
part and delivers its events, and the application's sweeps run until nothing is left to do at that time.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from accounts.notices.send import send_due
from billing.cfstripe.errors import StripeUnavailable
from billing.changes_calculator.apply_scheduled import apply_due
from billing.changes_calculator.left_clocks import follow_due as follow_left_clocks
from billing.changes_calculator.resume import resume_due
from billing.changes_calculator.tidy import tidy_due
from billing.charge_domains import charge_due
from billing.deliveries import deliver_due as deliver_to_billing
from billing.invoicing.advance import advance_due
from billing.invoicing.carry_out import carry_out_due
from billing.invoicing.credits import expire_due
from billing.invoicing.find_missed import find_missed
from billing.invoicing.internal_clock import bill_due
from billing.payments.look_up import look_up_due
from billing.queues.domain_events import consume_due
from billing.switches import make_switches
from billing.trials import end_trials
from dunning.consequences.carry_out import carry_out_due as carry_out_consequences
from dunning.deliveries import deliver_due as deliver_to_brain
from dunning.due import recompute_due
from dunning.outages import watch as watch_processors
from webhooks.backfill import LOOK_BACK, backfill, backfill_recent
from webhooks.fanout import fan_out_due
from webhooks.forwarding import forward_due
from webhooks.release import deliver_due as deliver_to_pipe

from . import clock, sandbox_control
from .next_due import next_due, unfinished

STOP_SECONDS = 120.0
NAP_SECONDS = 0.01
# As beat has it: what Stripe could not deliver is asked for no more often than this, and no later.
BACKFILL_EVERY = timedelta(minutes=15)

# Every other sweep that beat runs; each looks for rows that are due and returns how many it took.
SWEEPS: tuple[Callable[..., int], ...] = (
    forward_due,
    deliver_to_pipe,
    deliver_to_billing,
    deliver_to_brain,
    recompute_due,
    resume_due,
    look_up_due,
    advance_due,
    carry_out_due,
    expire_due,
    find_missed,
    bill_due,
    apply_due,
    make_switches,
    follow_left_clocks,
    end_trials,
    charge_due,
    watch_processors,
    carry_out_consequences,
    send_due,
    tidy_due,
    fan_out_due,
)


class NotQuiet(Exception):
    """At one time there was always something left to do; the message names what."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One time at which something happened, and how many rows the sweeps took there."""

    at: datetime
    rows: int


def pass_time(target: datetime, *, stop_seconds: float = STOP_SECONDS) -> Iterator[Stop]:
    """
    Move business time to `target`, yielding each stop on the way; the clock stands there at the end.

    Earlier than now is now. A live worker may run beside it: both take rows by lease.

    :raises NotQuiet: at one stop work was left after `stop_seconds` of machine time.
    """
    at = backfill_at = _freeze(clock.now())
    while True:
        found = 0
        if at >= backfill_at:
            found, backfill_at = _backfilled(at), at + BACKFILL_EVERY
        yield Stop(at, found + _until_quiet(at, stop_seconds))
        if at >= target:
            return
        latest = min(target, backfill_at) if _is_any_missing(at) else target
        at = _freeze(_next_stop(at, latest))


def let_run() -> None:
    """Let the clock go on from where it stands, at the pace of real time."""
    sandbox_control.post("/_sandbox/clock", {"offset_seconds": (clock.now() - clock.machine_now()).total_seconds()})


def _backfilled(at: datetime) -> int:
    """Take up what Stripe could not deliver; while Stripe is out of reach, nothing: it is asked again."""
    with suppress(StripeUnavailable):
        return backfill_recent(now=at)
    return 0


def _is_any_missing(at: datetime) -> bool:
    """Return whether the next backfill finds anything: then it is a stop. Also if Stripe does not answer."""
    try:
        return backfill(since=at - LOOK_BACK, undelivered_only=True, is_dry_run=True, now=at).missing > 0
    except StripeUnavailable:
        return True


def _next_stop(at: datetime, latest: datetime) -> datetime:
    said = sandbox_control.get("/_sandbox/pending")["next_due"]
    theirs = datetime.fromtimestamp(said, UTC) if said is not None else latest
    ours = next_due() or latest
    return min(latest, max(min(theirs, ours), at + timedelta(microseconds=1)))


def _freeze(at: datetime) -> datetime:
    sandbox_control.post("/_sandbox/clock", {"frozen_at": at.timestamp()})
    return clock.now()


def _until_quiet(now: datetime, stop_seconds: float) -> int:
    """Run the sweeps until neither side has anything to do at `now`; return how many rows they took."""
    give_up_at = time.monotonic() + stop_seconds
    rows = 0
    while True:
        taken = sum(sweep(now=now) for sweep in SWEEPS)
        rows += taken
        if taken:
            continue
        pending = sandbox_control.get("/_sandbox/pending")
        undelivered, messages = pending["webhooks_due"], pending["messages_due"]
        if messages and consume_due(now=now):
            continue
        left = unfinished(now)
        if not undelivered and not messages and not left:
            return rows
        if time.monotonic() > give_up_at:
            raise NotQuiet(
                f"At {now:%Y-%m-%d %H:%M:%S}: {undelivered} webhooks undelivered, {messages} messages in the queue; "
                f"unfinished: {left or 'nothing'}."
            )
        time.sleep(NAP_SECONDS)
