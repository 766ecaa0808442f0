"""
What does a change cost us beside what Stripe takes, and does it grow with what the account owns already?

    python -m bench.submit [--scale N]

Prints one JSON line: upgrades from Pro to Business of accounts that own 1, 30 and 300 plans, 40 times the scale of
each. What is timed is `submit` to its commit, less the time in which Stripe's answer was waited for; `cpu_ms` is what
this process worked in it, which other work on the machine does not change. The number of statements must be the same
at every size; the goal for the median is 30 ms.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
SIZES = (1, 30, 300)
CHANGES = 40
WARM_UP = 3
MOST_STATEMENTS = 25
# A subscription may have 20 new invoices a day.
BETWEEN_CHANGES_SECONDS = 90 * 60


@dataclass
class Cost:
    """What one change took."""

    statements: list[str] = field(default_factory=list)
    stripe_calls: int = 0
    stripe_seconds: float = 0.0
    cpu_seconds: float = 0.0
    seconds: float = 0.0

    @property
    def own_ms(self) -> float:
        return (self.seconds - self.stripe_seconds) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--scale", type=int, default=1, help="40 upgrades at each size, times this")
    parser.add_argument("--world", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.world:
        print(json.dumps(live(options.scale)))
        return
    with tempfile.TemporaryDirectory(prefix="paygo-bench-") as name:
        Path(name).chmod(0o755)
        environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
        environment |= {"PAYGO_DATA_DIR": name, "DJANGO_SETTINGS_MODULE": "config.settings"}
        command = (sys.executable, "-m", "bench.submit", "--world", f"--scale={options.scale}")
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    sizes = json.loads(done.stdout.splitlines()[-1])
    assert len({size["statements"] for size in sizes.values()}) == 1, sizes
    few, many = sizes[str(SIZES[0])], sizes[str(SIZES[-1])]
    print(
        json.dumps(
            {
                "bench": "submit",
                "scale": options.scale,
                "changes_at_each_size": CHANGES * options.scale,
                "by_plans_owned": sizes,
                "growth": round(many["p50_ms"] / few["p50_ms"], 2),
                "goal": "p50_ms < 30; statements <= 25 and the same at every size",
            }
        )
    )


def live(scale: int) -> dict[int, dict[str, float]]:
    """Make the accounts, upgrade their plans one after the other, and return what that took at each size."""
    from config.joining import join_parts

    join_parts(["bench", "submit"])
    import django

    django.setup()

    found = {}
    for size in SIZES:
        costs = []
        while len(costs) < CHANGES * scale + WARM_UP:
            account_id, zone_ids = owner_of(size)
            costs += [upgrade(account_id, zone_id) for zone_id in zone_ids[: CHANGES * scale + WARM_UP - len(costs)]]
        found[size] = summary(costs[WARM_UP:])
    return found


def summary(costs: list[Cost]) -> dict[str, float]:
    times = [cost.own_ms for cost in costs]
    assert max(len(cost.statements) for cost in costs) <= MOST_STATEMENTS
    assert {cost.stripe_calls for cost in costs} == {1}
    return {
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1], 1),
        "cpu_ms": round(statistics.median(cost.cpu_seconds * 1000 for cost in costs), 1),
        # One more where the change leaves an item at Stripe empty.
        "statements": statistics.mode(len(cost.statements) for cost in costs),
        "stripe_ms": round(statistics.median(cost.stripe_seconds * 1000 for cost in costs), 1),
    }


def owner_of(size: int) -> tuple[str, list[str]]:
    """Return an account and its zones, so many, each with Pro, all bought by one cart."""
    from accounts.roles import Role
    from billing.provision_account import provision_account
    from config import clock

    name = os.urandom(4).hex()
    ready = provision_account(
        name=f"bench {name}",
        email=f"{name}@example.com",
        zones=[f"z{number}-{name}.example" for number in range(size)],
        card="4242424242424242",
        role=Role.SUPER_ADMINISTRATOR,
        actor="system:bench",
        now=clock.now(),
    )
    ask(ready.account_id, ready.zone_ids, "pro")
    return ready.account_id, list(ready.zone_ids)


def upgrade(account_id: str, zone_id: str) -> Cost:
    """Move one zone to Business, some time after whatever was before, and return what that took."""
    from datetime import timedelta

    from config import clock
    from config.sandbox_control import post

    post("/_sandbox/clock", {"frozen_at": (clock.now() + timedelta(seconds=BETWEEN_CHANGES_SECONDS)).timestamp()})
    tidy()
    with counted() as cost:
        started_at, busy_before = time.perf_counter(), time.process_time()
        ask(account_id, [zone_id], "business")
        cost.seconds, cost.cpu_seconds = time.perf_counter() - started_at, time.process_time() - busy_before
    return cost


def tidy() -> None:
    """What the workers do after a change; they have no part in what it takes."""
    from billing.changes_calculator.tidy import tidy_due
    from config import clock

    while tidy_due(now=clock.now()):
        continue


def ask(account_id: str, zone_ids: "list[str] | tuple[str, ...]", plan_name: str) -> None:
    from billing.changes_calculator.request import ChangeRequest, ObjectKind, Origin, Outcome, Want
    from billing.changes_calculator.submit import submit
    from config import clock

    result = submit(
        ChangeRequest(
            account_id=account_id,
            wants=tuple(Want(ObjectKind.ZONE, zone_id, plan_name, "monthly") for zone_id in zone_ids),
            origin=Origin.SYSTEM,
            actor="system:bench",
            on_session=True,
            requested_at=clock.now(),
        )
    )
    assert result.outcome is Outcome.COMMITTED


@contextmanager
def counted() -> Iterator[Cost]:
    """Count what is sent to the database, and how long Stripe is waited for."""
    import requests

    from tests.counting import count_statements

    cost, request = Cost(), requests.Session.request

    def timed(*args: Any, **kwargs: Any) -> Any:
        started_at = time.perf_counter()
        try:
            return request(*args, **kwargs)
        finally:
            cost.stripe_calls += 1
            cost.stripe_seconds += time.perf_counter() - started_at

    with count_statements() as cost.statements, patch.object(requests.Session, "request", timed):
        yield cost


if __name__ == "__main__":
    main()
