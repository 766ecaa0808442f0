"""Remove a domain from an account: what was paid for it ends with its period, and nothing renews."""

from datetime import datetime

from accounts.create_account import delete_zone
from accounts.lock import account_lock
from accounts.models import Zone

from .changes_calculator.request import ChangeRefused, ChangeRequest, ObjectKind, Origin, Refusal, Want
from .changes_calculator.save import end_free
from .changes_calculator.submit import submit
from .changes_calculator.validate import MESSAGES
from .changes_calculator.wish import CORE_FAMILY
from .models.changes import ChangeClaim
from .models.objectproducts import Ope


def remove_zone(zone: Zone, *, actor: str, now: datetime) -> None:
    """
    Cancel all that the zone has, and remove it, in one transaction. Nothing is charged or given back.

    :raises ChangeRefused: something else of it waits, for a payment or for the end of the period.
    """
    with account_lock(zone.account_id):
        if ChangeClaim.objects.filter(account=zone.account_id, resource=f"object:{zone.pk}").exists():
            raise ChangeRefused(Refusal("change_in_flight", MESSAGES["change_in_flight"]))
        wants = _endings(zone)
        if wants:
            submit(
                ChangeRequest(
                    account_id=zone.account_id,
                    wants=wants,
                    origin=Origin.SYSTEM,
                    actor=actor,
                    on_session=False,
                    requested_at=now,
                )
            )
        end_free(zone.account_id, zone.pk, actor=actor, now=now)
        delete_zone(zone, actor=actor, now=now)


def _endings(zone: Zone) -> tuple[Want, ...]:
    """The end of the plan, which ends what hangs on it; or of what there is without one."""
    tiers = Ope.objects.filter(object_id=zone.pk, kind=Ope.Kind.ENUM, deleted_date__isnull=True)
    paid = {ope.product: ope for ope in tiers if ope.current.rank > 0}
    ending = [paid[CORE_FAMILY]] if CORE_FAMILY in paid else list(paid.values())
    return tuple(
        Want(ObjectKind.ZONE, zone.pk, ope.current.rate_plan_id, ope.current.interval, is_cancellation=True)
        for ope in ending
    )
