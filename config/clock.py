"""
The two clocks. Nothing else in the project reads the time.

Business time is what periods, retries and due times are measured in; in the local profile the
sandbox can shift or freeze it. Machine time is what leases, timeouts, tokens and signatures are
measured in.
"""

import json
from datetime import UTC, datetime, timedelta

from django.conf import settings

# What was last read: (inode, modification time) of the file, and its meaning.
_seen: tuple[tuple[int, int], dict[str, float]] | None = None


def now() -> datetime:
    """
    Return business time, aware, UTC.

    Locally it follows `<data directory>/clock.json`, which the sandbox replaces atomically: absent = real
    time, `{"offset_seconds": n}` = that much later, `{"frozen_at": unix seconds}` = standing still.
    """
    if not settings.IS_LOCAL:
        return machine_now()
    reading = _reading()
    if "frozen_at" in reading:
        return datetime.fromtimestamp(reading["frozen_at"], UTC)
    return machine_now() + timedelta(seconds=reading.get("offset_seconds", 0.0))


def machine_now() -> datetime:
    """Return real time, aware, UTC."""
    return datetime.now(UTC)


def _reading() -> dict[str, float]:
    """Return what the clock file says; it is opened only when it is another file than last time."""
    global _seen  # noqa: PLW0603  one value per process, replaced whole: threads may race, both are right
    path = settings.DATA_DIR / "clock.json"
    try:
        status = path.stat()
        stamp = (status.st_ino, status.st_mtime_ns)
        if _seen is None or _seen[0] != stamp:
            _seen = (stamp, json.loads(path.read_bytes()))
        return _seen[1]
    except FileNotFoundError:
        return {}
