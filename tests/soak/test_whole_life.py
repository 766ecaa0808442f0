"""Two hundred orders (or SOAK_ORDERS) of a life's events; `tests/webhooks/test_whole_life.py` has twenty."""

import os
import random
from collections.abc import Callable

import pytest

from tests.webhooks import life

ORDERS = int(os.environ.get("SOAK_ORDERS", "200"))


@pytest.mark.usefixtures("story", "catalog")
def test_a_whole_life_ends_the_same_in_two_hundred_orders(clock, report: Callable[..., None]) -> None:
    account, began_at, events = life.lived(clock)
    with life.undone():
        life.replayed_straight(events)
        straight = life.end_state(account, since=began_at)

    different = []
    for seed in range(ORDERS):
        with life.undone():
            life.replayed(events, began_at=began_at, luck=random.Random(seed))
            if life.end_state(account, since=began_at) != straight:
                different.append(seed)

    report(
        f"{len(events)} events of one account, from purchase to recovery, refund and disputes, in {ORDERS} random orders, a fifth "
        f"of them twice and 15 % dropped and asked for afterwards: {len(different)} ended differently."
    )
    assert different == []
