"""
The brain: lock, gather, decide, changes, apply. Anybody may have it look, at any time, twice, late, in any order.

Asking again changes nothing. The dry run is the same without the last step.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from accounts.lock import account_lock

from . import apply
from .brakes import held_until
from .changes import CancelWhatItBills, Change, GiveUp, SetBadDebtFlag, SetBan, changes
from .consequence_kinds import Consequence
from .decide import Decision, decide
from .facts import AccountFacts
from .gather import gather
from .policy import POLICY
from .requests import plan_next

DURING_OUTAGE = timedelta(minutes=10)
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Examined:
    """What is known of an account, what follows from it, and what must change for that."""

    facts: AccountFacts
    decision: Decision
    needed: tuple[Change, ...]

    @property
    def digest(self) -> str:
        """A name of the facts alone: the same facts, whenever they are read, have the same."""
        return hashlib.sha256(repr(replace(self.facts, as_of=_ANY_TIME, due_at=None)).encode()).hexdigest()


def examine(account_ids: Sequence[str], *, now: datetime) -> list[Examined]:
    """Return what should change in these accounts, and change nothing. Seven statements, however many there are."""
    return [_examined(facts) for facts in gather(account_ids, now)]


def recompute(account_id: str, *, cause: str, actor: str = "system:dunning", now: datetime) -> Examined:
    """
    Look at an account and make every store say what its debt means, in one transaction; return what was found.

    `cause` is what led to it: an event, a journal entry, an agent, a due time. Safe to repeat: then nothing is written.

    :raises AccountBusy: somebody else writes about it; nothing was written.
    :raises ChangeUnderWay: what is to end is being changed this moment; nothing was written.
    """
    with account_lock(account_id):
        (examined,) = examine([account_id], now=now)
        held = _held_until(examined, now)
        if examined.needed and held is None:
            write = apply.observe if examined.facts.is_observed else apply.apply
            write(examined.facts, examined.decision, examined.needed, cause=cause, digest=examined.digest, actor=actor)
        at = held or _looks_again_at(examined, now)
        plan_next(account_id, at, stands=examined.facts.due_at, cause="brake" if held else "time")
    return examined


def _held_until(examined: Examined, now: datetime) -> datetime | None:
    """When an account may be restricted that is not yet, if a brake holds that back: flag, ban and cancel, or none."""
    restricts = any(
        isinstance(change, GiveUp | CancelWhatItBills) or (isinstance(change, SetBadDebtFlag | SetBan) and change.on)
        for change in examined.needed
    )
    return held_until(Consequence.RESTRICT, now=now) if restricts and not examined.facts.is_observed else None


def _looks_again_at(examined: Examined, now: datetime) -> datetime | None:
    """When time alone may change the answer. While a processor does not answer nobody can say: soon."""
    is_out = any(outage.ended_at is None for outage in examined.facts.outages)
    return now + DURING_OUTAGE if is_out and examined.facts.owed else examined.decision.wake_at


def _examined(facts: AccountFacts) -> Examined:
    decision = decide(facts, POLICY)
    return Examined(facts, decision, changes(facts, decision))
