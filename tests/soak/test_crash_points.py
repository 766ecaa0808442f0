"""SIGKILL at every boundary of every change."""

import pytest

from tests.billing.changing import CHANGES
from tests.billing.test_crash_points import survives
from tests.crash_points import boundaries, kill_at

pytestmark = pytest.mark.usefixtures("story", "catalog")


def test_a_kill_at_every_boundary_leaves_it_whole(sandbox, report):
    """Each change dies at each of its boundaries, on an account of its own, and all of these hold in the end."""
    rows: list[tuple[object, ...]] = [("change", "", "boundary")]
    for change in CHANGES:
        world = change.world(sandbox)
        names = boundaries(lambda world=world, change=change: change.act(world))
        for number, name in enumerate(names):
            survives(change, sandbox, kill_at, number)
            rows.append((change.name, number, name))

    report(
        f"{len(rows) - 1} boundaries of {len(CHANGES)} changes. At each one the process was killed; what it left was "
        "taken up by the workers, asked for again, and every invariant of `tests/invariants.py` held, both times.",
        table=tuple(rows),
    )
