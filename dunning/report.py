"""What a look at many accounts found: who should change, from which status to which, and by which rule."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .due import examine_everybody
from .models.conclusions import DunningDecision, SubsDunning
from .recompute import Examined

SHOWN = 20


@dataclass(slots=True)
class Report:
    """
    Counts, and the first accounts of each kind. `transitions` are by status before, status decided, and rule; a status
    that is empty means hands off. `changes` counts each kind of change.
    """

    looked_at: int = 0
    to_change: int = 0
    failed: int = 0
    transitions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    accounts: list[str] = field(default_factory=list)

    def add(self, examined: Examined) -> None:
        """Count one account."""
        self.looked_at += 1
        if not examined.needed:
            return
        self.to_change += 1
        decided = examined.decision.status or ""
        self.transitions[examined.facts.stored.status.value, decided, examined.decision.because] += 1
        self.changes.update({type(change).__name__ for change in examined.needed})
        if len(self.accounts) < SHOWN:
            self.accounts.append(examined.facts.account_id)

    def to_json(self) -> dict[str, Any]:
        """Return the report as a command prints it."""
        return {
            "looked_at": self.looked_at,
            "to_change": self.to_change,
            "failed": self.failed,
            "transitions": [
                {"from": before, "to": after, "because": because, "accounts": count}
                for (before, after, because), count in sorted(self.transitions.items())
            ],
            "changes": dict(sorted(self.changes.items())),
            "accounts": self.accounts,
        }


def batches(*, account_id: str = "", now: datetime) -> Iterator[list[Examined]]:
    """Yield everybody in batches, or one account, each with what should change. Changes nothing."""
    return examine_everybody(now=now, account_id=account_id)


@dataclass(frozen=True, slots=True)
class Parity:
    """How the decisions that were only observed compare with what stands: the same status, or another."""

    agree: int
    differ: int
    differing: tuple[tuple[str, str, str], ...]


def parity(*, since: datetime) -> Parity:
    """
    Compare each account's newest observed decision with the status that stands for it: what would change if the brain
    acted for it too. Two statements.
    """
    newest = (
        DunningDecision.objects.filter(is_observed=True, decided_at__gte=since)
        .order_by("account", "-decided_at", "-pk")
        .distinct("account")
        .values_list("account_id", "status")
    )
    decided = dict(newest)
    stands = dict(SubsDunning.objects.filter(pk__in=decided).values_list("pk", "status"))
    return _compared((account_id, stands.get(account_id, "clear"), status) for account_id, status in decided.items())


def _compared(pairs: Iterable[tuple[str, str, str]]) -> Parity:
    rows = list(pairs)
    differing = [row for row in rows if row[2] and row[1] != row[2]]
    return Parity(len(rows) - len(differing), len(differing), tuple(sorted(differing)[:SHOWN]))
