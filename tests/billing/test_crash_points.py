"""Death at every boundary of a change: what is left behind is whole, the workers finish it, and asking again is safe."""

from contextlib import nullcontext, suppress
from datetime import timedelta

import pytest

from accounts.lock import AccountBusy
from tests.billing.changing import CHANGES, Change
from tests.crash_points import boundaries, kill_at, leases_run_out, raise_at, settle
from tests.invariants import assert_hold

pytestmark = pytest.mark.usefixtures("story", "catalog")

# Of the boundaries of each change; a different part of them for each, and all in `make soak`.
RAISED_EACH = 2
KILLED_EACH = 9


def survives(change: Change, sandbox, die, number):
    """Let an act die at one boundary; then let the workers look, then the customer ask again."""
    world = change.world(sandbox)
    die(lambda: change.act(world), number)

    # Whoever is killed holds nothing any more; an error leaves a process that lives, and only its lease runs out.
    with leases_run_out() if die is raise_at else nullcontext():
        settle(later=change.later(world))
        assert_hold(sandbox, world.account)
        with suppress(AccountBusy):
            change.act(world)
        world.confirm()
        settle(later=change.later(world) + timedelta(minutes=20))

    assert change.is_done(world), f"{world.account.pk} has {world.plan}, then {world.scheduled or 'the same'}"
    assert_hold(sandbox, world.account)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_an_error_at_a_boundary_leaves_it_whole(sandbox, change):
    world = change.world(sandbox)
    names = boundaries(lambda: change.act(world))

    assert names
    for number in range(CHANGES.index(change) % RAISED_EACH, len(names), RAISED_EACH):
        survives(change, sandbox, raise_at, number)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_kill_at_a_boundary_leaves_it_whole(sandbox, change):
    world = change.world(sandbox)
    names = boundaries(lambda: change.act(world))

    for number in range(CHANGES.index(change) % KILLED_EACH, len(names), KILLED_EACH):
        survives(change, sandbox, kill_at, number)
