"""
Does a test notice when the brain is changed by one line? Each mutant is the pure core with one deliberate error.

    python -m bench.mutate_dunning

Works in a copy; prints one JSON line, and fails if a mutant survives.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = (
    "accounts",
    "billing",
    "config",
    "dunning",
    "entitlements",
    "tests",
    "webhooks",
    "manage.py",
    "pyproject.toml",
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One line of one file, and what stands there instead."""

    file: str
    line: str
    instead: str


MUTANTS = (
    Mutant("decide", "row.applies(question))", "not row.applies(question))"),
    Mutant("decide", "each.finalized_at + net <= self.facts.as_of", "each.finalized_at + net < self.facts.as_of"),
    Mutant("decide", "if not invoice.ever_bad)", "if invoice.debt is Debt.OPEN)"),
    Mutant("decide", "if not standing.is_over}", "if standing.next_at}"),
    Mutant(
        "decide", "in self.facts.invoices if invoice.ever_bad)", "in reversed(self.facts.invoices) if invoice.ever_bad)"
    ),
    Mutant("decide", "latest.debt is not Debt.PAID:", "False:"),
    Mutant("decide", "self.cell.lift is not Lift.LATEST or", ""),
    Mutant("decide", "invoice.finalized_at <= latest.paid_at", "invoice.finalized_at < latest.paid_at"),
    Mutant("decide", "if len(self.remaining) < len(self.standings):", "if False:"),
    Mutant("decide", "if invoice not in self.lifted)", ")"),
    Mutant("decide", "lambda q: q.facts.is_merged,", "lambda q: False,"),
    Mutant("decide", "lambda q: any(i.is_in_flight for i in q.counting),", "lambda q: False,"),
    Mutant("decide", "lambda q: bool(q.bad),", "lambda q: False,"),
    Mutant("decide", "lambda q: _waits(q),", "lambda q: False,"),
    Mutant("decide", "min(oldest.scheduled_failures, LAST_LEVEL - 1)", "oldest.scheduled_failures"),
    Mutant("decide", "list(question.remaining.values())[-1]", "list(question.remaining.values())[0]"),
    Mutant("decide", "and at > now)", "and at >= now)"),
    Mutant("decide", "_retries(question) if collects else ()", "()"),
    Mutant("policy", "_DAILY = (24, 24, 24, 24, 24)", "_DAILY = (24, 24, 24, 24)"),
    Mutant("policy", "_GRACE_HOURS = 126", "_GRACE_HOURS = 120"),
    Mutant("policy", "net_days=30", "net_days=31"),
    Mutant("policy", "flags=True, bans=True, cancels=True)", "flags=True, bans=True)"),
    Mutant("policy", "RETRY_SOON_TIMES = 2", "RETRY_SOON_TIMES = 3"),
    Mutant("policy", "LEAST_HOURS_BETWEEN_RETRIES = 12", "LEAST_HOURS_BETWEEN_RETRIES = 0"),
    Mutant("policy", "lift=Lift.ALL", "lift=Lift.LATEST"),
    Mutant("retry", "method.usable_since <= invoice.failures[-1].at", "method.usable_since < invoice.failures[-1].at"),
    Mutant("retry", "grace_ends_at <= facts.as_of", "grace_ends_at < facts.as_of"),
    Mutant("retry", "sum(cell.retry_after_hours[:counted])", "sum(cell.retry_after_hours[: counted - 1])"),
    Mutant("retry", "if counted > len(cell.retry_after_hours):", "if counted >= len(cell.retry_after_hours):"),
    Mutant("retry", "at = max(outage.ended_at, at)", "at = outage.started_at"),
    Mutant("retry", "is_over=is_over and next_at is None", "is_over=is_over"),
    Mutant("changes", "        SetBadDebtSince(flags),\n", ""),
    Mutant("changes", "        SetBadDebtFlag(flags),\n", ""),
    Mutant("changes", "SetBan(decision.restricts and cell.bans,", "SetBan(decision.restricts,"),
    Mutant("changes", "if cell.cancels),", "),"),
    Mutant("changes", "return facts.mirrored is not None and facts.mirrored != self.wanted", "return False"),
    Mutant("changes", "if change.differs_from(facts))", ")"),
    Mutant("changes", "invoice.bad_since is None or not invoice.is_credited", "invoice.bad_since is None"),
    Mutant("changes", "if invoice.id in at or invoice.retry_at is not None", "if invoice.id in at"),
    Mutant("changes", "must_act or (decision.restricts and not _has_fresh_method(facts))", "must_act"),
)


def main() -> None:
    """Try every mutant, say which survived, and exit with 1 if any did."""
    with tempfile.TemporaryDirectory() as folder:
        survivors = list(_survivors(Path(folder)))
    print(json.dumps({"bench": "mutate_dunning", "mutants": len(MUTANTS), "survivors": survivors}))
    sys.exit(bool(survivors))


def _survivors(copy: Path) -> Iterator[str]:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    assert _tests_pass(copy), "the tests fail without any mutant"
    for mutant in MUTANTS:
        path = copy / "dunning" / f"{mutant.file}.py"
        text = path.read_text()
        assert text.count(mutant.line) >= 1, f"{mutant.file}.py has no {mutant.line!r}"
        path.write_text(text.replace(mutant.line, mutant.instead, 1))
        if _tests_pass(copy):
            yield f"{mutant.file}: {mutant.line.strip()}"
        path.write_text(text)


def _tests_pass(copy: Path) -> bool:
    tests = ("tests/dunning/test_decide.py", "tests/dunning/test_retry.py", "tests/dunning/test_changes.py")
    run = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "--noconftest",
        "-p",
        "no:django",
        *tests,
    ]
    return subprocess.run(run, cwd=copy, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
