"""What nobody paid for ends at once: what is free takes its place, and nothing is charged or given back for it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from accounts import journal
from accounts.lock import holds_lock
from accounts.models import Zone

from .catalog.lookup import current_catalog
from .changes_calculator.licences import FREE_LICENSE
from .changes_calculator.save import save_phases
from .fall_back import free_phase
from .models.invoices import BillingSchedule
from .models.objectproducts import Ope
from .models.scheduled import Sslc


class ChangeUnderWay(Exception):
    """Something that is to end is being changed this moment; ask again when that is over. Nothing was written."""

    code = "change_in_flight"


@dataclass(frozen=True, slots=True)
class Ended:
    """What ended, the clocks that billed it, and what the account still has."""

    subscription_ids: tuple[str, ...]
    schedule_ids: tuple[str, ...]
    remaining: tuple[Ope, ...]
    fact: journal.Fact


def end_unpaid(account_id: str, ope_ids: Collection[str], *, cause: str, now: datetime) -> Ended:
    """
    End these OPEs, with what is bought on top of them, and what was scheduled for them; return what followed.

    In the caller's transaction under the account's lock. The caller journals the fact, brings the entitlements in line
    with what remains, and has Stripe's items follow. Six statements, however many there are; safe to repeat.

    :raises ChangeUnderWay: one of them is in flight.
    """
    assert holds_lock(account_id)
    live = list(Ope.objects.filter(account=account_id, deleted_date__isnull=True))
    ending = _with_what_hangs_on(live, ope_ids)
    if any(ope.workflow_id for ope in ending):
        raise ChangeUnderWay("Something of this account is being changed right now.")
    clocks = {ope.license_source_id.partition(":")[0] for ope in ending}
    _end(ending, now=now)
    subscription_ids = sorted({ope.subscription_id for ope in ending})
    Sslc.objects.filter(account=account_id, subscription_id__in=subscription_ids, ended_at__isnull=True).update(
        ended_at=now, lease_token=None, lease_until=None, lease_backend=""
    )
    schedules = BillingSchedule.objects.filter(stripe_subscription_id__in=clocks, ended_at__isnull=True)
    after = {"opes": sorted(ope.pk for ope in ending), "subscriptions": subscription_ids}
    return Ended(
        subscription_ids=tuple(subscription_ids),
        schedule_ids=tuple(schedules.order_by("pk").values_list("pk", flat=True)),
        remaining=tuple(ope for ope in live if ope.deleted_date is None),
        fact=journal.Fact("subscription.not_paid", account_id, "system:dunning", cause=cause, after=after),
    )


def _with_what_hangs_on(live: list[Ope], ope_ids: Collection[str]) -> list[Ope]:
    """Components that cost nothing stand on no invoice; they go with the plan whose they are."""
    subscriptions = {ope.subscription_id for ope in live if ope.pk in ope_ids}
    return [
        ope
        for ope in live
        if ope.subscription_id in subscriptions and (ope.pk in ope_ids or ope.license_source_id.startswith("sub_"))
    ]


def _end(opes: list[Ope], *, now: datetime) -> None:
    """A tier falls back to the free one, unless its zone is gone; anything else goes."""
    catalog = current_catalog()
    zones = {ope.object_id for ope in opes if ope.object_kind == "zone"}
    removed = set(Zone.objects.filter(pk__in=zones, deleted_at__isnull=False).values_list("pk", flat=True))
    for ope in opes:
        free = free_phase(ope, catalog, now)
        if isinstance(free.value, str) and free.value and ope.object_id not in removed:
            ope.value_phases, ope.license_source_id = [free.to_json()], FREE_LICENSE
        else:
            ope.deleted_date = now
    save_phases(opes)
