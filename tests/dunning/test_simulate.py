"""Another policy is looked at before it is made: cells by their names, and what would change."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from dunning.policy import POLICY, Lift, Treatment
from dunning.simulate import UnknownCell, with_cells

CELLS = [
    # cell                                   type        member               then
    ("pay_go.grace_hours=48",                "pay_go",   "grace_hours",       48),
    ("pay_go.retry_after_hours=24,48",       "pay_go",   "retry_after_hours", (24, 48)),
    ("academic.bans=yes",                    "academic", "bans",              True),
    ("academic.flags=false",                 "academic", "flags",             False),
    ("academic.lift=latest",                 "academic", "lift",              Lift.LATEST),
    ("partner.treatment=remind",             "partner",  "treatment",         Treatment.REMIND),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "account_type", "member", "then"), CELLS)
def test_a_cell_is_changed_and_no_other(cell, account_type, member, then):
    policy = with_cells(POLICY, [cell])

    assert getattr(policy.cells[account_type], member) == then
    others = {name: cell for name, cell in policy.cells.items() if name != account_type}
    assert others == {name: cell for name, cell in POLICY.cells.items() if name != account_type}
    assert policy.version == POLICY.version + 1


@pytest.mark.parametrize(
    "cell", ["pay_go", "nobody.bans=yes", "pay_go.mood=good", "pay_go.bans=maybe", "pay_go.lift=x"]
)
def test_what_makes_no_sense_is_said(cell):
    with pytest.raises(UnknownCell):
        with_cells(POLICY, [cell])
    with pytest.raises(CommandError):
        call_command("simulate_policy", cell=[cell])


@pytest.mark.django_db
def test_nobody_changes_by_the_policy_that_is(db):
    said = StringIO()

    call_command("simulate_policy", cell=["pay_go.bans=yes"], json=True, stdout=said)

    assert json.loads(said.getvalue())["would_change"] == 0
