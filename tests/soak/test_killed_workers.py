"""Ten thousand events of a thousand accounts (or SOAK_ACCOUNTS), while one of two workers dies every three seconds."""

import os
from collections.abc import Callable

import pytest

from tests.webhooks import crowd, killed
from tests.webhooks.telling import in_kafka, kafka

ACCOUNTS = int(os.environ.get("SOAK_ACCOUNTS", "1000"))


@pytest.mark.usefixtures("story", "sandbox")
def test_each_effect_happens_once_however_often_a_worker_dies(report: Callable[..., None]) -> None:
    members = crowd.arrived(ACCOUNTS)
    ids = [event_id for member in members for event_id in member.event_ids]
    accounts = [member.account.pk for member in members]

    with kafka() as bootstrap:
        kills = killed.drain(ids, accounts, to=bootstrap, kill_every_seconds=3, give_up_seconds=3600)
        heard = [each for each in in_kafka(bootstrap) if each.key in set(accounts)]

    problems = crowd.problems(members, heard)
    again = len(heard) - len({(each.topic, each.key, each.sequence) for each in heard})
    report(
        f"{len(ids)} events of {ACCOUNTS} accounts, two workers, of which {kills} were killed (one every three seconds), the "
        f"broker emptied twice: {len(problems)} problems. Each effect happened once and stands in the journal without a gap; "
        f"no delivery is left. A service in another process heard {len(heard):,} events, {again:,} of them again, each "
        "account's in order within its topic."
    )
    assert problems == []
