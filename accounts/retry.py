"""How long failed work waits. Pure."""

from datetime import timedelta

BACKOFF_SECONDS = (1, 5, 30, 120, 600, 3600)


def backoff(attempts: int) -> timedelta:
    """Return the wait after the `attempts` + 1st failure: growing, and never more than an hour."""
    return timedelta(seconds=BACKOFF_SECONDS[min(attempts, len(BACKOFF_SECONDS) - 1)])
