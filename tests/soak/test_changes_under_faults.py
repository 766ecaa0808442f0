"""Random changes with the processor failing under them, in numbers."""

import os
from collections import Counter

import pytest

from tests.invariants import assert_hold
from tests.stories.histories import History

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

HISTORIES = int(os.environ.get("HISTORIES", "500"))
FIRST_SEED = 1000


def test_random_changes_under_faults_end_whole(clock, sandbox, report):
    told: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + HISTORIES):
        clock.freeze()
        history = History(sandbox, seed)
        try:
            assert_hold(sandbox, history.live(steps=6))
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
        finally:
            sandbox.delete("/_sandbox/faults")
        told += history.told

    report(
        f"{HISTORIES} histories of six acts, seeds {FIRST_SEED} to {FIRST_SEED + HISTORIES - 1}. In the end of each, "
        "every invariant of `tests/invariants.py` held.",
        table=(("what happened", "times"), *sorted(told.items())),
    )
