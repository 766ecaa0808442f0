"""A domain goes to another account: what it had for nothing ends there, and it begins anew here."""

from datetime import datetime

from accounts import journal
from accounts.create_account import delete_zone
from accounts.lock import lock_accounts
from accounts.models import Account, Zone

from .add_zone import add_zone
from .changes_calculator.request import ChangeRefused, Refusal
from .changes_calculator.save import end_free
from .changes_calculator.validate import MESSAGES
from .models.changes import ChangeClaim
from .models.objectproducts import Ope

HAS_PLAN = Refusal(
    "zone_has_plan",
    "The zone has more than the free plan. End that first; the zone can be moved when what is paid for is over.",
)


class ZoneGone(Exception):
    """The zone was removed; its domain may be served under another id."""

    code = "not_found"


def move_zone(zone: Zone, account_id: str, *, actor: str, now: datetime) -> Zone:
    """
    Let another account serve a domain, in one transaction, and return the zone that it is there.

    It gets an id of its own there, and the free plan; what was billed for it stays with who had it. Nothing is
    charged. Safe to repeat: a domain that the account serves already is answered as it is.

    :raises ChangeRefused: more than the free plan is on it, a change of it is under way, or the account is closed.
    :raises ZoneGone: neither account serves it any more.
    :raises Account.DoesNotExist: there is no such account.
    """
    with lock_accounts((zone.account_id, account_id)) as found:
        if account_id not in found:
            raise Account.DoesNotExist(account_id)
        zone.refresh_from_db()
        there = Zone.objects.filter(account=account_id, name=zone.name, deleted_at__isnull=True).first()
        if there is not None:
            return there
        if zone.deleted_at is not None:
            raise ZoneGone
        check_can_move(zone)
        end_free(zone.account_id, zone.pk, actor=actor, now=now)
        delete_zone(zone, actor=actor, now=now)
        moved = add_zone(account_id, name=zone.name, actor=actor, now=now)
        after = {
            "zone_id": zone.pk,
            "new_zone_id": moved.pk,
            "from_account_id": zone.account_id,
            "to_account_id": account_id,
        }
        journal.emit(
            *(journal.Fact("zone.moved", each, actor, after=after) for each in (zone.account_id, account_id)), at=now
        )
    return moved


def check_can_move(zone: Zone) -> None:
    """
    See whether nothing but the free plan is on a zone. Two statements.

    :raises ChangeRefused: something is, or a change is under way that would put something there.
    """
    if ChangeClaim.objects.filter(account=zone.account_id, resource=f"object:{zone.pk}").exists():
        raise ChangeRefused(Refusal("change_in_flight", MESSAGES["change_in_flight"]))
    live = Ope.objects.filter(account=zone.account_id, object_id=zone.pk, deleted_date__isnull=True)
    if any(ope.current.rank > 0 for ope in live):
        raise ChangeRefused(HAS_PLAN)
