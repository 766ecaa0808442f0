"""In whatever order a life's events come, twice or never: it ends the same."""

import random
from collections import Counter

import pytest

from billing.models.invoices import Invoice

from . import life

ORDERS = 20
LIVED = {
    "invoice.payment_failed", "invoice.paid", "charge.refunded", "customer.updated", "charge.dispute.created",
    "charge.dispute.closed",
}  # fmt: skip


@pytest.mark.usefixtures("story", "catalog")
def test_a_whole_life_ends_the_same_in_every_order(clock):
    account, began_at, events = life.lived(clock)
    types = Counter(event["type"] for event in events)
    assert len(events) >= 60, types
    assert types.keys() >= LIVED
    with life.undone():
        life.replayed_straight(events)
        straight = life.end_state(account, since=began_at)
        assert Invoice.objects.filter(account=account, status="paid").count() == life.MONTHS + 1
    assert (straight["stuck"], straight["waiting"]) == ([], 0)
    assert [status for status in ("won", "lost") if status in str(straight["disputes"])] == ["won", "lost"]

    for seed in range(ORDERS):
        with life.undone():
            life.replayed(events, began_at=began_at, luck=random.Random(seed))
            assert life.end_state(account, since=began_at) == straight, f"seed {seed}"
