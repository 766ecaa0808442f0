"""Ten thousand events of a thousand accounts, while one of two workers dies every three seconds."""

from collections.abc import Callable

import pytest

from tests.webhooks import crowd, killed

ACCOUNTS = 1000


@pytest.mark.usefixtures("story", "sandbox")
def test_each_effect_happens_once_however_often_a_worker_dies(report: Callable[..., None]) -> None:
    members = crowd.arrived(ACCOUNTS)
    ids = [event_id for member in members for event_id in member.event_ids]

    kills = killed.drain(ids, kill_every_seconds=3, give_up_seconds=3600)

    problems = crowd.problems(members)
    report(
        f"{len(ids)} events of {ACCOUNTS} accounts, {kills} workers killed, the broker emptied twice: {len(problems)} problems."
    )
    assert problems == []
