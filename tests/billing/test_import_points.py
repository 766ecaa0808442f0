"""What others check our arithmetic through stays where it is and as it is; and no reason to refuse goes untested."""

import inspect
import re
from datetime import datetime
from pathlib import Path

from billing.changes_calculator.change_set import ChangeSet
from billing.changes_calculator.plan import plan
from billing.changes_calculator.proration import period_containing, prorate
from billing.changes_calculator.request import ChangeRequest
from billing.changes_calculator.snapshot import Snapshot
from tests.source import ROOT

REFUSALS = re.compile(r"Refusal\(\s*\"([a-z_]+)\"")


def signature(function):
    found = inspect.signature(function, eval_str=True)
    return [(name, parameter.annotation) for name, parameter in found.parameters.items()], found.return_annotation


def test_prorate_is_called_by_whoever_checks_it():
    assert signature(prorate) == (
        [("amount_minor", int), ("period_start", datetime), ("period_end", datetime), ("at", datetime)],
        int,
    )


def test_period_containing_is_called_by_whoever_checks_it():
    assert signature(period_containing) == (
        [("anchor", datetime), ("interval", str), ("at", datetime)],
        tuple[datetime, datetime],
    )


def test_plan_is_called_by_whoever_checks_it():
    assert signature(plan) == ([("request", ChangeRequest), ("snapshot", Snapshot)], ChangeSet)


def test_every_reason_to_refuse_stands_in_a_test():
    sources = "".join(path.read_text() for path in (ROOT / "billing").rglob("*.py"))
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__))

    codes = set(REFUSALS.findall(sources))

    assert len(codes) > 8
    assert {code for code in codes if f'"{code}"' not in tests} == set()
