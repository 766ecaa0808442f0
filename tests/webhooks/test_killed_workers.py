"""Five hundred events, two workers, one of which dies again and again, and a broker that forgets: each effect once, told in order."""

import pytest

from . import crowd, killed
from .telling import in_kafka, kafka

ACCOUNTS = 50


@pytest.mark.usefixtures("story", "sandbox")
def test_each_effect_happens_once_however_often_a_worker_dies():
    members = crowd.arrived(ACCOUNTS)
    ids = [event_id for member in members for event_id in member.event_ids]
    accounts = [member.account.pk for member in members]

    with kafka() as bootstrap:
        kills = killed.drain(ids, accounts, to=bootstrap, kill_every_seconds=0.7, give_up_seconds=400)
        heard = [each for each in in_kafka(bootstrap) if each.key in set(accounts)]

    assert len(ids) == 500
    assert kills >= 1
    assert crowd.problems(members, heard) == []
