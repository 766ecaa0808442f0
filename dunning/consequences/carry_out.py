"""
What was decided is done outside, after the decision's commit: one action after another, in the order of their ranks.

Each is a row before it is a call, with a key made from the row's id, its own retries and its own recorded failure. At
least once; safe to repeat.
"""

from collections.abc import Callable
from datetime import datetime

import structlog

from accounts import journal
from accounts.claim import claim, release
from accounts.lock import account_lock
from accounts.sweep import sweep
from billing.cfstripe import mirror as stripe_mirror
from billing.cfstripe.errors import StripeRefused, StripeUnavailable
from billing.invoicing.clock import end_schedule

from ..brakes import held_until
from ..consequence_kinds import Consequence
from ..models.actions import DunningAction
from .cancel_items import cancel_items
from .invoice_acts import credit_note, mark_uncollectible
from .mirror import mirror
from .notify import notify
from .outcome import Done, MustWait
from .ready import READY

logger = structlog.get_logger()

DO: dict[Consequence, Callable[..., Done]] = {
    Consequence.CREDIT_NOTE:        credit_note,
    Consequence.MARK_UNCOLLECTIBLE: mark_uncollectible,
    Consequence.MIRROR:             mirror,
    Consequence.CANCEL_ITEMS:       cancel_items,
    Consequence.NOTIFY:             notify,
}  # fmt: skip


def carry_out_due(*, now: datetime, limit: int = 20) -> int:
    """
    Carry out up to `limit` actions that are due and may be, and return how many were looked at.

    One that Stripe does not answer to is tried again, later and later; one that it refuses ends with Stripe's code, and
    those after it go on.
    """
    due = claim(DunningAction, READY, now=now, limit=limit)
    return sweep(due, lambda action: _act(action, now), now=now, passing=(StripeUnavailable,))


def _act(action: DunningAction, now: datetime) -> None:
    kind = Consequence(action.kind)
    if (until := held_until(kind, now=now)) is not None:
        release(action, next_at=until)
        return
    try:
        done = DO[kind](action, now=now)
    except MustWait as waits:
        release(action, next_at=waits.next_at)
        return
    except StripeRefused as refusal:
        logger.warning("dunning.refused_by_stripe", action=action.pk, kind=action.kind, code=refusal.code)
        done = Done(code=refusal.code)
    _finish(action, done, now=now)


def _finish(action: DunningAction, done: Done, *, now: datetime) -> None:
    """Write how it ended, with what was seen and what it ended with, in one transaction."""
    with account_lock(action.account_id):
        release(action, done_at=now, refused_code=done.code[:64])
        if done.seen:
            seen_at = stripe_mirror.seen_by_own_call(now)
            stripe_mirror.remember(done.seen, account_id=action.account_id, seen_at=seen_at)
        if done.details.get("has_ended"):
            end_schedule(str(action.schedule_id), at=now)
        after = {
            "action_id": action.pk,
            "act": action.kind,
            "invoice_id": action.invoice_id or "",
            "code": done.code,
            **done.details,
        }
        kind = "dunning.act_refused" if done.code else "dunning.act_done"
        journal.emit(
            journal.Fact(kind, action.account_id, "system:dunning", cause=action.decision_id, after=after), at=now
        )
