"""An error and SIGKILL at every boundary of every change."""

import pytest

from tests.billing.changing import CHANGES
from tests.billing.test_crash_points import survives
from tests.crash_points import boundaries, kill_at, raise_at

pytestmark = pytest.mark.usefixtures("story", "catalog")


def test_death_at_every_boundary_leaves_it_whole(sandbox, report):
    rows: list[tuple[object, ...]] = [("change", "", "boundary")]
    for change in CHANGES:
        world = change.world(sandbox)
        names = boundaries(lambda world=world, change=change: change.act(world))
        for number, name in enumerate(names):
            for die in (raise_at, kill_at):
                survives(change, sandbox, die, number)
            rows.append((change.name, number, name))

    report(
        f"{len(rows) - 1} boundaries of {len(CHANGES)} changes. At each one there was an error, and the process was killed; what that "
        "left was taken up by the workers, asked for again, and every invariant of `tests/invariants.py` held, both times.",
        table=tuple(rows),
    )
