"""Changes while the processor fails: whatever was answered meanwhile, the end is whole."""

import pytest

from tests.invariants import assert_hold
from tests.stories.histories import History

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


@pytest.fixture(autouse=True)
def _no_fault_outlives_its_test(sandbox):
    yield
    sandbox.delete("/_sandbox/faults")


# Five hundred more in `make soak`.
@pytest.mark.parametrize("seed", [0, 1, 2, 4])
def test_random_changes_under_faults_end_whole(clock, sandbox, seed):
    clock.freeze()

    account = History(sandbox, seed).live(steps=6)

    assert_hold(sandbox, account)
