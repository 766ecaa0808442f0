"""Whatever happens to an account's money, its books hold after each act, and doing anything again changes nothing."""

import pytest

from tests.invariants import assert_hold
from tests.stories.money_histories import MoneyHistory

pytestmark = pytest.mark.usefixtures("catalog", "live_server_url")


# More in `make soak`.
@pytest.mark.parametrize("seed", [2, 6])
def test_the_books_hold_after_every_act_and_a_second_run_changes_nothing(clock, sandbox, seed):
    clock.freeze()
    history = MoneyHistory(seed)

    history.live(steps=10)

    assert_hold(sandbox, history.account)
