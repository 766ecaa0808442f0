"""Is this process alive, and is everything it needs there?"""

import urllib.error
import urllib.request
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

# Migrations are not taken back under a running process, so what was complete once stays so.
_is_migrated = False


@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """Answer as long as the process can: asks nobody, so that a dead database restarts no web server."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when every part does what is needed of it, else 503; each part is named with yes or no, never why."""
    parts = {name: is_ready() for name, is_ready in CHECKS}
    is_ready = all(parts.values())
    return JsonResponse(
        {"status": "ready" if is_ready else "not ready", "parts": parts},
        status=200 if is_ready else 503,
        headers={"Cache-Control": "no-store"},
    )


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connection.close()
        return False
    return True


def _migrations() -> bool:
    global _is_migrated  # noqa: PLW0603  asked until it is true, then known
    if not _is_migrated:
        try:
            executor = MigrationExecutor(connection)
            _is_migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError:
            connection.close()
    return _is_migrated


def _redis() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5, retry=None)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _stripe() -> bool:
    """
    Ask the sandbox, where there is one.

    Stripe itself is not asked: an outage there is no reason to take every door of ours away.
    """
    if settings.STRIPE_API_KEY != settings.SANDBOX_API_KEY:
        return True
    try:
        with urllib.request.urlopen(f"{settings.STRIPE_API_BASE}/_sandbox/health", timeout=1):  # noqa: S310  our own address
            return True
    except (urllib.error.URLError, OSError):
        return False


CHECKS: tuple[tuple[str, Callable[[], bool]], ...] = (
    ("database", _database),
    ("migrations", _migrations),
    ("redis", _redis),
    ("stripe", _stripe),
)  # fmt: skip
