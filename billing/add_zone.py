"""Add a domain to an account; it has its free subscription from the first moment."""

from datetime import datetime

from accounts.create_account import create_zone
from accounts.lock import account_lock
from accounts.models import Zone

from .changes_calculator.request import ChangeRequest, ObjectKind, Origin, Want
from .changes_calculator.submit import submit

FREE_PLAN = "free"


def add_zone(account_id: str, *, name: str, actor: str, now: datetime) -> Zone:
    """
    Create the zone and its free row in one transaction, and return the zone.

    :raises InvalidDetail: not a domain name.
    :raises ZoneTaken: the domain is served already.
    :raises ChangeRefused: the catalogue has not been published.
    """
    with account_lock(account_id):
        zone = create_zone(account_id, name=name, actor=actor, now=now)
        submit(
            ChangeRequest(
                account_id=account_id,
                wants=(Want(ObjectKind.ZONE, zone.pk, FREE_PLAN),),
                origin=Origin.SYSTEM,
                actor=actor,
                on_session=False,
                requested_at=now,
            )
        )
    return zone
