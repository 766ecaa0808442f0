"""
Customers buy while everything is killed: does each get what they paid for, once?

    python -m bench.kill [--purchases N] [--clients N] [--kills N] [--seed N]

Starts the whole platform, lets clients buy Pro for one zone each (repeating the same POST until the answer says
Paid, as a shell script would), and meanwhile sends SIGKILL to processes of the web server, the worker, PostgreSQL,
Valkey and the sandbox. Then it waits until nothing is left to do and counts. Prints one JSON line; `problems` is
empty when nothing was lost, doubled or left behind. The same seed chooses the same victims.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.ground import ROOT
from bench.running_platform import RunningPlatform, running_platform

# A zone to buy for, and the token to do it with.
Purchase = dict[str, str]

VICTIMS = ("web server", "worker", "PostgreSQL", "Valkey", "sandbox")
# `up` gives a part up that ends ten times within a minute; it would be right to, so we stay below.
KILLS_A_MINUTE_AND_PART = 8
# The longest that a kill comes after the purchase that it follows: long enough to be in the middle of another.
JITTER_SECONDS = 0.3
REPEAT_AFTER_SECONDS = 0.2
PATIENCE_SECONDS = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--purchases", type=int, default=60)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, printed")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    print(f"seed {seed}", file=sys.stderr, flush=True)

    started_at = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="paygo-kill-") as name, running_platform(Path(name)) as platform:
        reference, *purchases = world(platform, "provision", str(options.purchases + 1), str(options.clients))
        run = Run(platform, purchases, random.Random(seed), options.kills)
        run.buy(reference)
        run.go(options.clients)
        problems = run.problems + world(platform, "judge", said=[reference, *purchases])
        if problems:
            print(platform.said(), file=sys.stderr)
    print(
        json.dumps(
            {
                "bench": "kill",
                "seed": seed,
                "purchases": len(run.bought),
                "kills": dict(sorted(run.killed.items())),
                "posts": run.posts,
                "answers": {str(status): count for status, count in sorted(run.answers.items())},
                "seconds": round(time.monotonic() - started_at, 1),
                "problems": problems,
            }
        )
    )
    sys.exit(1 if problems else 0)


def world(platform: RunningPlatform, *arguments: str, said: object = None) -> list[Any]:
    """Run one end of this, with the platform's database and sandbox, and return what it answers."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.kill_world", *arguments],
        cwd=ROOT,
        env=os.environ | platform.environment() | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        input=json.dumps(said).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    answer: list[Any] = json.loads(done.stdout)
    return answer


@dataclass
class Run:
    """Clients that buy and one that kills, beside each other."""

    platform: RunningPlatform
    purchases: Sequence[Purchase]
    chance: random.Random
    kills: int
    bought: set[str] = field(default_factory=set)
    killed: Counter[str] = field(default_factory=Counter)
    # By status; 0 is a connection that was refused, cut or silent for too long.
    answers: Counter[int] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    posts: int = 0

    def go(self, clients: int) -> None:
        """
        Let everything be bought, with every kill in between, and return when the platform stands again.

        :raises RuntimeError: it does not.
        """
        killer = threading.Thread(target=self.kill_at_random, name="killer", daemon=True)
        killer.start()
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(self.buy, self.purchases))
        killer.join(timeout=PATIENCE_SECONDS)
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not self.platform.is_ready():
            if time.monotonic() > give_up_at:
                raise RuntimeError(f"The platform did not come back:{self.platform.said()}")
            time.sleep(0.1)

    def buy(self, purchase: Purchase) -> None:
        """Repeat one POST until the answer says Paid; a final refusal, or none in time, is a problem."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            self.posts += 1
            status, body = _post(
                f"{self.platform.url}/client/v4/zones/{purchase['zone_id']}/subscription",
                {"rate_plan": {"id": "pro"}, "frequency": "monthly"},
                token=purchase["token"],
            )
            self.answers[status] += 1
            if status == 200 and json.loads(body)["result"]["state"] == "Paid":
                self.bought.add(purchase["zone_id"])
                return
            if 400 <= status < 500 and status != 429:
                self.problems.append(f"zone {purchase['zone_id']} was refused: {status} {body[:300]!r}")
                return
            time.sleep(REPEAT_AFTER_SECONDS)
        self.problems.append(f"zone {purchase['zone_id']} was not bought within {PATIENCE_SECONDS:.0f} seconds")

    def kill_at_random(self) -> None:
        """Kill one process after another, spread over the purchases, each part as often as the others."""
        recent: dict[str, list[float]] = {part: [] for part in VICTIMS}
        order: list[str] = []
        for number in range(self.kills):
            order = order or self.chance.sample(VICTIMS, len(VICTIMS))
            part = order.pop()
            jitter_seconds, whom = self.chance.uniform(0, JITTER_SECONDS), self.chance.random()
            bought_before = number * len(self.purchases) // self.kills
            while len(self.bought) <= bought_before and len(self.bought) < len(self.purchases):
                time.sleep(0.005)
            time.sleep(jitter_seconds)
            recent[part] = [at for at in recent[part] if time.monotonic() - at < 60]
            if len(recent[part]) < KILLS_A_MINUTE_AND_PART:
                recent[part].append(time.monotonic())
                self.kill(part, whom)

    def kill(self, part: str, whom: float) -> None:
        """Kill a process of the part, its main one in half of the cases; wait while there is none."""
        give_up_at = time.monotonic() + 20
        while not (processes := self.platform.processes_of(part)):
            if time.monotonic() > give_up_at:
                self.problems.append(f"{part} did not come back")
                return
            time.sleep(0.02)
        main, *others = processes
        victim = main if whom < 0.5 or not others else others[int((whom - 0.5) * 2 * len(others))]
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return  # a backend that had just ended; the next one will not be so lucky
        self.killed[part] += 1


def _post(url: str, body: object, *, token: str) -> tuple[int, bytes]:
    """Return the status and the body of the answer, or 0 and why there was none."""
    request = urllib.request.Request(
        url,
        method="POST",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=15) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        return 0, str(error).encode()


if __name__ == "__main__":
    main()
