"""Five hundred events, two workers, one of which dies again and again, and a broker that forgets: each effect once."""

import pytest

from . import crowd, killed

ACCOUNTS = 50


@pytest.mark.usefixtures("story", "sandbox")
def test_each_effect_happens_once_however_often_a_worker_dies():
    members = crowd.arrived(ACCOUNTS)
    ids = [event_id for member in members for event_id in member.event_ids]

    kills = killed.drain(ids, kill_every_seconds=0.7, give_up_seconds=120)

    assert len(ids) == 500
    assert kills >= 1
    assert crowd.problems(members) == []
