"""An error and SIGKILL at every boundary of whatever moves money."""

import pytest

from tests.crash_points import boundaries
from tests.stories.money_acts import ACTS
from tests.stories.test_money_crashes import dies

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


def test_death_at_every_boundary_charges_once_and_loses_nothing(clock, sandbox, report):
    rows: list[tuple[object, ...]] = [("act", "", "boundary")]
    for act in ACTS:
        (dry,) = act.prepare(clock, sandbox, 1)
        count = len(boundaries(lambda act=act, dry=dry: act.act(dry)))
        names = dies(act, clock, sandbox, raised=count, killed=count)
        rows += [(act.name, number, name) for number, name in enumerate(names)]

    report(
        f"{len(rows) - 1} boundaries of {len(ACTS)} acts. At each one there was an error, and the process was killed; the "
        "workers, and whoever asked again, brought each to its one end, and every invariant of `tests/invariants.py` held.",
        table=tuple(rows),
    )
