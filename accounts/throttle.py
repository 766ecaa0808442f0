"""Counting requests: in Redis, and in PostgreSQL while Redis is gone."""

import math
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

import redis
import structlog
from django.conf import settings
from django.db import connection

from .limits import Window, windows

logger = structlog.get_logger()

SHORT = 0.2
# After a failure nobody asks Redis for so long, so that a dead one does not slow every request.
PAUSE_SECONDS = 2.0

_broken_until = 0.0


class TooManyRequests(Exception):
    """A limit is reached: nothing was begun, and the same request is taken after `retry_after_seconds`."""

    code = "too_many_requests"

    def __init__(self, window: Window) -> None:
        super().__init__(f"More than {window.limit.requests} requests in {window.limit.seconds} seconds. Slow down.")
        self.retry_after_seconds = max(1, math.ceil(window.seconds_left))


def admit(*, token_id: str, account_id: str, method: str, machine_now: datetime) -> None:
    """
    Count one request against every limit that it falls under. One round trip, or one statement without Redis.

    :raises TooManyRequests: one of them is reached.
    """
    counted = windows(token_id=token_id, account_id=account_id, method=method, machine_now=machine_now)
    for window, count in zip(counted, _count(counted, machine_now), strict=True):
        if count > window.limit.requests:
            raise TooManyRequests(window)


def _count(counted: Sequence[Window], machine_now: datetime) -> list[int]:
    global _broken_until  # noqa: PLW0603  one circuit per process
    if time.monotonic() >= _broken_until:
        try:
            return _count_in_redis(counted)
        except redis.RedisError as error:
            _broken_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("throttle.without_redis", error=type(error).__name__)
    return _count_in_postgres(counted, machine_now)


def _count_in_redis(counted: Sequence[Window]) -> list[int]:
    with _redis().pipeline(transaction=False) as pipe:
        for window in counted:
            pipe.incr(f"limit:{window.key}")
            pipe.expire(f"limit:{window.key}", math.ceil(window.seconds_left) + 1, nx=True)
        answers = pipe.execute()
    return [int(count) for count in answers[::2]]


_COUNT = """
WITH over AS (
    DELETE FROM request_count WHERE ends_at < %s
), counted AS (
    INSERT INTO request_count (key, count, ends_at)
    SELECT key, 1, ends_at FROM unnest(%s::text[], %s::timestamptz[]) AS mine(key, ends_at) ORDER BY key
    ON CONFLICT (key) DO UPDATE SET count = request_count.count + 1
    RETURNING key, count
)
SELECT key, count FROM counted
"""


def _count_in_postgres(counted: Sequence[Window], machine_now: datetime) -> list[int]:
    """What is over goes on the way: the table holds the windows of the moment and no more."""
    ends = [machine_now + timedelta(seconds=window.seconds_left) for window in counted]
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [machine_now, [window.key for window in counted], ends])
        counts = dict(cursor.fetchall())
    return [counts[window.key] for window in counted]


@cache
def _redis() -> "redis.Redis":
    return redis.Redis.from_url(settings.CACHE_URL, socket_connect_timeout=SHORT, socket_timeout=SHORT)
