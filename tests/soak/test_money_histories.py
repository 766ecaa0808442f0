"""Random histories of money, in numbers."""

import os
from collections import Counter

import pytest

from tests.invariants import assert_hold
from tests.stories.money_histories import MoneyHistory

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")

HISTORIES = int(os.environ.get("HISTORIES", "300"))
FIRST_SEED = int(os.environ.get("FIRST_SEED", "1000"))
STEPS = 12


def test_the_books_hold_after_every_act_of_random_histories(clock, sandbox, report):
    told: Counter[str] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + HISTORIES):
        clock.freeze()
        history = MoneyHistory(seed)
        try:
            history.live(steps=STEPS)
            assert_hold(sandbox, history.account)
        except Exception as error:
            raise AssertionError(f"seed {seed} after {dict(history.told)}") from error
        told += history.told

    report(
        f"{HISTORIES} histories of {STEPS} acts, seeds {FIRST_SEED} to {FIRST_SEED + HISTORIES - 1}. After each act every "
        "transaction summed to zero, the balance was what is owed less what credit is left, nothing was given back beyond "
        "what was paid; in the end everything ran a second time, each event was replayed, and no row changed.",
        table=(("what happened", "times"), *sorted(told.items())),
    )
