"""
Carry today's prices to those who subscribed before them: the Catalog's door, and nobody else's.

Each price that is no longer sold and has a successor is replaced from the next period on. A row per account, so that
what was interrupted goes on where it stopped; nothing is charged by it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db.models import QuerySet
from django.db.models.fields.json import KT

from accounts.lock import AccountBusy

from .catalog.lookup import current_catalog
from .changes_calculator.request import ChangeRefused, ChangeRequest, ObjectKind, Origin, Outcome, Want
from .changes_calculator.submit import submit
from .models.catalog import Price
from .models.objectproducts import Ope
from .models.price_migrations import PriceMigration

ACTOR = "catalog:publish"
ROWS = 1000


@dataclass(frozen=True, slots=True)
class Migration:
    """What would be carried over, or was; amounts in minor units, added up over intervals as they are billed."""

    catalog_version: int
    accounts: int = 0
    components: int = 0
    before_minor: int = 0
    after_minor: int = 0
    scheduled: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def plan_migration(*, only: Sequence[str] = ()) -> Migration:
    """
    Return how much would be carried over, writing nothing. What waits at its new price already is left out.

    `only` these accounts, if any are named: to try it with a few first.
    """
    version, successors = current_catalog().version, _successors()
    accounts: set[str] = set()
    found = Migration(version)
    for ope in _outdated(successors, only).iterator(chunk_size=ROWS):
        phase = ope.current
        accounts.add(ope.account_id)
        found = replace(
            found,
            components=found.components + 1,
            before_minor=found.before_minor + phase.amount_minor,
            after_minor=found.after_minor + successors[phase.price_id] * phase.billed_quantity,
        )
    return replace(found, accounts=len(accounts))


def begin_migration(*, only: Sequence[str] = ()) -> int:
    """
    Write a row for each account that is concerned, and return how many are unfinished. Safe to repeat.

    Who was done before and has an old price still, because something was in the way, is looked at again.
    """
    version, outdated = current_catalog().version, _outdated(_successors(), only)
    batch: list[PriceMigration] = []
    for account_id in outdated.order_by("account").values_list("account", flat=True).distinct().iterator(ROWS):
        batch.append(PriceMigration(catalog_version=version, account_id=account_id))
        if len(batch) == ROWS:
            PriceMigration.objects.bulk_create(batch, ignore_conflicts=True)
            batch = []
    PriceMigration.objects.bulk_create(batch, ignore_conflicts=True)
    rows = _rows(version, only)
    rows.filter(finished_at__isnull=False, account__in=outdated.values("account")).update(finished_at=None, refused={})
    return rows.filter(finished_at__isnull=True).count()


def migrate(*, now: datetime, only: Sequence[str] = ()) -> Iterator[PriceMigration]:
    """Carry today's prices to one account after the other, yielding each row when it is done."""
    version = current_catalog().version
    rows = _rows(version, only).filter(finished_at__isnull=True).order_by("pk")
    while (row := rows.first()) is not None:
        scheduled, refused = _migrate_account(row.account_id, now=now)
        total = row.scheduled + scheduled
        PriceMigration.objects.filter(pk=row.pk).update(scheduled=total, refused=dict(refused), finished_at=now)
        yield row


def report(*, only: Sequence[str] = ()) -> Migration:
    """Return what became of the newest version's migration so far."""
    version = current_catalog().version
    total, accounts, scheduled = Counter[str](), 0, 0
    for row in _rows(version, only).iterator(chunk_size=ROWS):
        accounts, scheduled = accounts + 1, scheduled + row.scheduled
        total.update(row.refused)
    return Migration(version, accounts=accounts, scheduled=scheduled, refused=total)


def _migrate_account(account_id: str, *, now: datetime) -> tuple[int, Counter[str]]:
    """Everything of one interval at once; where a part is refused, each by itself."""
    outdated = list(_outdated(_successors(), [account_id]))
    intervals = {ope.subscription_id: ope.current.interval for ope in outdated}
    tiers = Ope.objects.filter(
        account=account_id, kind=Ope.Kind.ENUM, deleted_date__isnull=True, subscription_id__in=intervals
    )
    wants: dict[str, list[Want]] = {}
    for tier in tiers.order_by("pk"):
        kind, interval = ObjectKind(tier.object_kind), intervals[tier.subscription_id]
        want = Want(kind, tier.object_id, tier.current.rate_plan_id, interval, at_current_price=True)
        wants.setdefault(interval, []).append(want)
    scheduled, refused = 0, Counter[str]()
    for group in wants.values():
        try:
            scheduled += _submit(account_id, group, now=now) * len(group)
        except (ChangeRefused, AccountBusy):
            for want in group:
                try:
                    scheduled += _submit(account_id, [want], now=now)
                except (ChangeRefused, AccountBusy) as refusal:
                    refused[refusal.code] += 1
    return scheduled, refused


def _submit(account_id: str, wants: list[Want], *, now: datetime) -> bool:
    request = ChangeRequest(
        account_id=account_id,
        wants=tuple(wants),
        origin=Origin.CATALOG,
        actor=ACTOR,
        on_session=False,
        requested_at=now,
    )
    return submit(request).outcome is Outcome.SCHEDULED


def _rows(version: int, only: Sequence[str]) -> QuerySet[PriceMigration]:
    rows = PriceMigration.objects.filter(catalog_version=version)
    return rows.filter(account__in=only) if only else rows


def _outdated(successors: dict[str, int], only: Sequence[str]) -> QuerySet[Ope]:
    """What Stripe bills at a price that is not sold any more, but for what waits at today's already."""
    current = list(Price.objects.filter(is_current=True).values_list("pk", flat=True))
    live = Ope.objects.filter(deleted_date__isnull=True, license_source_id__startswith="sub_")
    live = live.filter(account__in=only) if only else live
    at_old = live.annotate(price=KT("value_phases__0__price_id")).filter(price__in=list(successors))
    waits = live.annotate(later=KT("value_phases__1__price_id")).filter(later__in=current)
    return at_old.exclude(pk__in=waits.values("pk"))


def _successors() -> dict[str, int]:
    """Return the unit amount of today for each price that was sold before; what costs nothing today has none."""
    current = {
        (price.series, price.interval, price.currency): price.unit_amount_minor
        for price in Price.objects.filter(is_current=True, unit_amount_minor__gt=0)
    }
    old = Price.objects.filter(is_current=False)
    keys = {price.pk: (price.series, price.interval, price.currency) for price in old}
    return {pk: current[key] for pk, key in keys.items() if key in current}
