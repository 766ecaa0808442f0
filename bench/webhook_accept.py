"""
How fast are events taken in, held against the least that taking one in can cost?

    python -m bench.webhook_accept [--scale N]

Prints one JSON line. Both are served by granian with two workers in the same run, in turns, from the same
load generator on the same cores, into the same table of a durable PostgreSQL. The goal is a ratio of 0.8.
"""

import argparse
import json
import statistics
import time

import psycopg
import stripe

from bench.ground import WEBHOOK_SECRET, ground, served
from bench.load import send_all

OURS, LIMIT = "config.wsgi:application", "bench.bare_webhook:application"
CONNECTIONS = 8
SIZE = 500
PAIRS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--scale", type=int, default=1, help="1 = into an empty inbox; each further adds 100,000 rows")
    scale = parser.parse_args().scale
    with ground() as environment, served(OURS, environment) as ours, served(LIMIT, environment) as limit:
        filled = (scale - 1) * 100_000
        fill(environment["DATABASE_URL"], rows=filled)
        pairs = [
            {port: send_all(port, requests(SIZE, f"{port}x{number}"), connections=CONNECTIONS) for port in order}
            for number, order in enumerate([(ours, limit), (limit, ours)] * ((PAIRS * scale + 1) // 2 + 1))
        ][2:]  # the first two warm up
        stored = count(environment["DATABASE_URL"])
    assert stored == filled + SIZE * 2 * (len(pairs) + 2), f"{stored} events were stored"
    print(
        json.dumps(
            {
                "bench": "webhook_accept",
                "scale": scale,
                "rows": stored,
                "ours_per_second": round(SIZE / statistics.median(pair[ours] for pair in pairs)),
                "limit_per_second": round(SIZE / statistics.median(pair[limit] for pair in pairs)),
                # Of each pair, a fraction of a second apart: what else the machine does falls on both alike.
                "ratio": round(statistics.median(pair[limit] / pair[ours] for pair in pairs), 3),
                "goal": 0.8,
            }
        )
    )


def requests(number: int, series: str) -> list[bytes]:
    """Return so many different events, signed now."""
    signed_at = int(time.time())
    return [signed_request(_EVENT | {"id": f"evt_{series}n{index}"}, signed_at) for index in range(number)]


def fill(database_url: str, *, rows: int) -> None:
    """Put so many processed events into the inbox, to see what its size costs."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            """
            INSERT INTO stripe_event (id, type, api_version, created_at, received_at, payload, next_at, account_id,
                attempts, lease_backend, outcome, last_error, processed_at)
            SELECT 'evt_old' || n, 'customer.updated', '', now(), now(), '{}', now(), md5(n::text),
                0, '', 'nothing', '', now()
            FROM generate_series(1, %s) AS n
            """,
            [rows],
        )


def count(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT count(*) FROM stripe_event").fetchone()
    assert row is not None
    return int(row[0])


def signed_request(
    event: dict[str, object], signed_at: int, *, secret: str = WEBHOOK_SECRET, path: str = "/webhooks/stripe"
) -> bytes:
    """Return the request that brings an event, signed at that time."""
    payload = json.dumps(event)
    signature = stripe.WebhookSignature.generate_signature_header(payload, secret, signed_at)
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(payload)}\r\nStripe-Signature: {signature}\r\n\r\n{payload}"
    ).encode()


# As long as a usual one: most of Stripe's events have two to four kilobytes.
_EVENT = {
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": 1790000000,
    "data": {
        "object": {
            "id": "cus_1",
            "object": "customer",
            "metadata": {f"key_{number}": "of no meaning, but of a usual length" for number in range(45)},
        }
    },
    "livemode": False,
    "pending_webhooks": 1,
    "request": {"id": "req_1", "idempotency_key": None},
    "type": "customer.updated",
}


if __name__ == "__main__":
    main()
