"""The only writer of entitlements: apply the minimal difference between what is granted and what should be."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import connection
from psycopg.types.json import Jsonb

from accounts import journal
from accounts.lock import holds_lock

from .derive import Grant
from .models import Entitlement

Key = tuple[str, str]

# One version more, and every changed row with it.
_WRITE = """
WITH version AS (
    INSERT INTO entitlement_version (account_id, version) VALUES (%s, 1)
    ON CONFLICT (account_id) DO UPDATE SET version = entitlement_version.version + 1
    RETURNING version
)
INSERT INTO entitlement (account_id, zone_id, feature, allocation, value, basis, source_ope_id, valid_from, valid_until,
                         version, changed_at)
SELECT %s, grants.*, version.version, %s
FROM version, unnest(%s::text[], %s::text[], %s::text[], %s::jsonb[], %s::text[], %s::text[], %s::timestamptz[],
                     %s::timestamptz[]) AS grants
ON CONFLICT (account_id, zone_id, feature) DO UPDATE SET
    allocation = EXCLUDED.allocation, value = EXCLUDED.value, basis = EXCLUDED.basis,
    source_ope_id = EXCLUDED.source_ope_id, valid_from = EXCLUDED.valid_from, valid_until = EXCLUDED.valid_until,
    version = EXCLUDED.version, changed_at = EXCLUDED.changed_at
"""


def provision(
    account_id: str, wanted: Mapping[Key, Grant], *, now: datetime, zone_ids: Collection[str] | None = None
) -> journal.Fact | None:
    """
    Make the account's entitlements those in `wanted`, and return the fact to journal, None if nothing differs.

    With `zone_ids`, those of these zones alone (empty: of the account itself), and `wanted` is about no other.
    Three statements at most, in the caller's transaction under the account's lock; running it again changes nothing.
    """
    assert holds_lock(account_id)
    stored = Entitlement.objects.filter(account=account_id)
    if zone_ids is not None:
        stored = stored.filter(zone_id__in=zone_ids)
    rows = {(row.zone_id, row.feature): row for row in stored}
    changed = [grant for key, grant in wanted.items() if key not in rows or _differs(rows[key], grant)]
    gone = [row for key, row in rows.items() if key not in wanted]
    if not changed and not gone:
        return None
    if gone:
        Entitlement.objects.filter(pk__in=[row.pk for row in gone]).delete()
    _write(account_id, changed, now)
    before = {_name(row.zone_id, row.feature): row.value for row in gone}
    before |= {
        _name(g.zone_id, g.feature): rows[g.zone_id, g.feature].value for g in changed if (g.zone_id, g.feature) in rows
    }
    after = {_name(grant.zone_id, grant.feature): grant.value for grant in changed}
    return journal.Fact("entitlements.changed", account_id, "system:entitlements", before=before, after=after)


def _differs(row: Entitlement, grant: Grant) -> bool:
    stored = (row.allocation, row.value, row.basis, row.source_ope_id, row.valid_from, row.valid_until)
    wanted = (
        grant.allocation,
        grant.value,
        grant.basis.value,
        grant.source_ope_id,
        grant.valid_from,
        grant.valid_until,
    )
    return stored != wanted


def _write(account_id: str, grants: list[Grant], now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            [
                account_id,
                account_id,
                now,
                [grant.zone_id for grant in grants],
                [grant.feature for grant in grants],
                [grant.allocation for grant in grants],
                [Jsonb(grant.value) for grant in grants],
                [grant.basis.value for grant in grants],
                [grant.source_ope_id for grant in grants],
                [grant.valid_from for grant in grants],
                [grant.valid_until for grant in grants],
            ],
        )


def _name(zone_id: str, feature: str) -> str:
    return f"{zone_id or 'account'}:{feature}"
