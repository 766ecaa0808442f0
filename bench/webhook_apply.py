"""
How fast are events applied, from their receipt to the engine, and how fast is a backlog worked off?

    python -m bench.webhook_apply [--scale N] [--backlog N] [--peer djstripe]

Prints one JSON line. The whole platform runs as `up` runs it (web server, one worker of two processes, beat, sandbox,
a durable PostgreSQL), and the load generator shares its cores. Live events are of 100 accounts, in turns, and each of
the backlog is of an account of its own: all are newer than what is known, so that Stripe has nothing to say.

With a peer, both are sent the same events of customers that exist in the sandbox, as fast as they answer, and the time
until the last is applied is compared. dj-stripe is installed into a directory that is removed again, and applies an
event before it answers: it asks Stripe for the object each time, whatever the event says.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import stripe

from bench.ground import ROOT, served
from bench.load import send_all
from bench.running_platform import RunningPlatform, running_platform
from bench.webhook_accept import signed_request

ACCOUNTS = 100
PER_SECOND = 50
SECONDS = 20
BACKLOG = 20_000
PEER_EVENTS = 2_000
CONNECTIONS = 8
API_VERSION = "2026-10-28.endive"
PATIENCE_SECONDS = 1800.0
PEER_GOAL = 4
# It takes keys of the true length only; the sandbox takes any of a test.
PEER_KEY = "sk_test_" + "0" * 24
FILLING = {f"key_{key}": "of no meaning, but of a usual length" for key in range(45)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--scale", type=float, default=1.0, help="1 = 1,000 events at 50/s, then the backlog")
    parser.add_argument("--backlog", type=int, default=BACKLOG, help="events that wait at scale 1")
    parser.add_argument("--peer", choices=["djstripe"], help="apply the same events with this, in the same run")
    options = parser.parse_args()
    live = max(round(PER_SECOND * SECONDS * options.scale), PER_SECOND)
    backlog = round(options.backlog * options.scale)
    with (
        tempfile.TemporaryDirectory(prefix="paygo-apply-") as name,
        running_platform(Path(name)) as platform,
        psycopg.connect(platform.environment()["DATABASE_URL"], autocommit=True) as database,
    ):
        apply = Bench(platform, database)
        seen = apply.live(live) | apply.backlog(backlog)
        if options.peer:
            seen |= apply.beside_djstripe(max(round(PEER_EVENTS * options.scale), 100))
    print(json.dumps({"bench": "webhook_apply", "scale": options.scale, **seen, "load_average": os.getloadavg()[0]}))


class Bench:
    """The three measurements, one after the other, of one platform. Each checks that all it sent was applied."""

    def __init__(self, platform: RunningPlatform, database: psycopg.Connection) -> None:
        self.database = database
        self.environment = os.environ | platform.environment()
        self.secret = self.environment["STRIPE_WEBHOOK_SECRETS"].split(",")[0]
        self.port = urlsplit(platform.url).port or 80
        self.data_dir = platform.data_dir
        self.stripe = stripe.StripeClient(
            self.environment["STRIPE_API_KEY"],
            stripe_version=API_VERSION,
            base_addresses={"api": self.environment["STRIPE_API_BASE"]},
        )

    def live(self, number: int) -> dict[str, object]:
        """Send one event every fiftieth of a second, and see how long each takes from its receipt to its effect."""
        customers = [f"cus_live{each}" for each in range(ACCOUNTS)]
        self._map(customers)
        begin = time.perf_counter()
        for index in range(number):
            time.sleep(max(0.0, begin + index / PER_SECOND - time.perf_counter()))
            event = self._event(f"evt_live{index}", {"id": customers[index % ACCOUNTS]})
            send_all(self.port, [self._request(event)], connections=1)
        seconds = time.perf_counter() - begin
        self._wait_until_applied("evt_live", number)
        p50, p99 = self._latencies("evt_live")
        return {
            "events": number,
            "sent_per_second": round(number / seconds, 1),
            "p50_ms": round(p50 * 1000),
            "p99_ms": round(p99 * 1000),
        }

    def backlog(self, number: int) -> dict[str, object]:
        """Have so many events wait, each of an account of its own, and see how long they take."""
        if not number:
            return {}
        self._map([f"cus_pile{each}" for each in range(1, number + 1)])
        payload = self._event("", {"id": ""})
        started_at = time.perf_counter()
        self.database.execute(
            """
            INSERT INTO stripe_event (id, type, api_version, created_at, received_at, payload, next_at, account_id,
                attempts, lease_backend, outcome, last_error)
            SELECT 'evt_pile' || n, 'customer.updated', %s, now(), now(),
                jsonb_set(%s::jsonb, '{data,object,id}', to_jsonb('cus_pile' || n)), now(), '', 0, '', '', ''
            FROM generate_series(1, %s) AS n
            """,
            [API_VERSION, json.dumps(payload), number],
        )
        self._wait_until_applied("evt_pile", number)
        seconds = time.perf_counter() - started_at
        return {"backlog": number, "drained_per_second": round(number / seconds, 1)}

    def beside_djstripe(self, number: int) -> dict[str, object]:
        """Send both the same events as fast as they answer; return events per second of both, and the ratio."""
        python = _installed(self.data_dir / "djstripe")
        customers = self._customers(number)
        self._map([customer["id"] for customer in customers])
        events = [self._event(f"evt_peer{index}", customer) for index, customer in enumerate(customers)]

        started_at = time.perf_counter()
        send_all(self.port, [self._request(event) for event in events], connections=CONNECTIONS)
        self._wait_until_applied("evt_peer", number)
        ours_seconds = time.perf_counter() - started_at

        environment = self._environment_of_peer()
        prepared = [python, "-m", "bench.djstripe_webhook"]
        path = subprocess.run(prepared, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True).stdout.decode()
        with served("bench.djstripe_webhook:application", environment, python=python) as port:
            peer_seconds = send_all(
                port, [self._request(event, path=path) for event in events], connections=CONNECTIONS
            )
        with psycopg.connect(environment["DATABASE_URL"]) as database:
            applied = _scalar(database, "SELECT count(*) FROM djstripe_webhookeventtrigger WHERE processed")
            kept = _scalar(database, "SELECT count(*) FROM djstripe_customer")
        assert (applied, kept) == (number, number), f"the peer applied {applied} of {number} and keeps {kept}"
        return {
            "peer": "djstripe",
            "peer_events": number,
            "ours_per_second": round(number / ours_seconds, 1),
            "peer_per_second": round(number / peer_seconds, 1),
            "ratio": round(peer_seconds / ours_seconds, 2),
            "goal": PEER_GOAL,
        }

    def _map(self, customer_ids: Sequence[str]) -> None:
        """Make an account for each of these customers."""
        self.database.execute(
            """
            WITH made AS (
                INSERT INTO account (id, name, type, created_at)
                SELECT md5(customer), 'bench', 'standard', now() FROM unnest(%s::text[]) AS customer
            )
            INSERT INTO subs_customer (account_id, stripe_customer_id, braintree_customer_id)
            SELECT md5(customer), customer, '' FROM unnest(%s::text[]) AS customer
            """,
            [list(customer_ids), list(customer_ids)],
        )
        self.database.execute("ANALYZE account, subs_customer")

    def _customers(self, number: int) -> list[dict[str, Any]]:
        """Make so many customers in the sandbox, and wait until what it told of that has been dealt with."""

        def one(index: int) -> dict[str, Any]:
            made = self.stripe.v1.customers.create({"email": f"peer-{index}@example.com", "metadata": FILLING})
            return dict(json.loads(str(made)))

        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(one, range(number)))

    def _event(self, event_id: str, customer: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": event_id,
            "object": "event",
            "api_version": API_VERSION,
            "created": int(time.time()),
            "data": {"object": {"object": "customer", "metadata": FILLING, **customer}},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": "req_1", "idempotency_key": None},
            "type": "customer.updated",
        }

    def _request(self, event: dict[str, Any], *, path: str = "/webhooks/stripe") -> bytes:
        return signed_request(event, int(time.time()), secret=self.secret, path=path)

    def _wait_until_applied(self, prefix: str, number: int) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        question = "SELECT count(*) FROM stripe_event WHERE starts_with(id, %s) AND outcome IN ('changed', 'nothing')"
        while (applied := _scalar(self.database, question, prefix)) < number:
            assert time.monotonic() < give_up_at, f"{applied} of {number} events were applied"
            time.sleep(0.1)

    def _latencies(self, prefix: str) -> tuple[float, float]:
        found = self.database.execute(
            """
            SELECT percentile_cont(ARRAY[0.5, 0.99])
                WITHIN GROUP (ORDER BY extract(epoch FROM processed_at - received_at))
            FROM stripe_event WHERE starts_with(id, %s)
            """,
            [prefix],
        ).fetchone()
        assert found is not None
        return float(found[0][0]), float(found[0][1])

    def _environment_of_peer(self) -> dict[str, str]:
        """Make the peer a database of its own on the same server, and return its environment."""
        self.database.execute("CREATE DATABASE djstripe")
        url = urlsplit(self.environment["DATABASE_URL"])._replace(path="/djstripe").geturl()
        needed = {
            "DATABASE_URL": url,
            "PEER_API_VERSION": API_VERSION,
            "PAYGO_DATA_DIR": str(self.data_dir),
            "STRIPE_API_KEY": PEER_KEY,
        }
        return {name: value for name, value in self.environment.items() if name != "DJANGO_SETTINGS_MODULE"} | needed


def _installed(directory: Path) -> str:
    """Return the Python of an environment of its own that has the peer."""
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    python = str(directory / "bin" / "python")
    requirements = str(ROOT / "bench" / "requirements-djstripe.txt")
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements],
        check=True, stdout=sys.stderr,
    )  # fmt: skip
    return python


def _scalar(database: psycopg.Connection, question: str, *values: str) -> int:
    row = database.execute(question, values or None).fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    main()
