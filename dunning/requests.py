"""When the brain looks at an account by itself: the writer of `dunning_due`."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from accounts.lock import holds_lock
from config import wake

from .models.conclusions import DunningDue

# Whoever holds the row loses it: what it was taken for is older than what is written here.
_PLAN = """
INSERT INTO dunning_due (account_id, next_at, cause, attempts, lease_backend) VALUES (%s, %s, %s, 0, '')
ON CONFLICT (account_id) DO UPDATE SET next_at = EXCLUDED.next_at, cause = EXCLUDED.cause,
    attempts = 0, lease_token = NULL, lease_until = NULL, lease_backend = ''
"""


# The earlier of two times counts. Whoever looks at the account this moment holds its lock, and sees what we saw.
_REQUEST = """
INSERT INTO dunning_due (account_id, next_at, cause, attempts, lease_backend)
SELECT unnest(%s::text[]), %s, %s, 0, ''
ON CONFLICT (account_id) DO UPDATE SET next_at = EXCLUDED.next_at, cause = EXCLUDED.cause
WHERE dunning_due.next_at > EXCLUDED.next_at
"""


def look_at_each(account_ids: Sequence[str], *, at: datetime, cause: str) -> None:
    """Have the brain look at these accounts at `at`, or sooner where that is planned. One statement; no lock needed."""
    if account_ids:
        with connection.cursor() as cursor:
            cursor.execute(_REQUEST, [list(account_ids), at, cause[:160]])
        wake.wake("dunning.recompute_due")


def plan_next(account_id: str, at: datetime | None, *, stands: datetime | None, cause: str) -> None:
    """
    Have the brain look again at `at`, and not before; None: not by time alone. `stands` is what is planned so far.

    One statement, none where that is planned already. Under the account's lock.
    """
    assert holds_lock(account_id)
    if at == stands:
        return
    if at is None:
        DunningDue.objects.filter(pk=account_id).delete()
        return
    with connection.cursor() as cursor:
        cursor.execute(_PLAN, [account_id, at, cause[:160]])
