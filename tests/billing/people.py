"""Customers for stories: committed accounts at the real sandbox."""

from uuid import uuid4

from accounts.create_account import create_account
from accounts.models import Account, Zone
from billing.add_zone import add_zone
from billing.changes_calculator.request import ChangeRequest, ComponentValue, ObjectKind, Origin, Want
from billing.payments.methods import store_test_card
from config import clock

GOOD, DECLINED, NEEDS_3DS = "4242424242424242", "4000000000000002", "4000002500003155"


def customer(*, card: str | None = GOOD) -> tuple[Account, Zone]:
    """Return a fresh account with one free zone and, if asked for, a stored card."""
    now = clock.now()
    name = uuid4().hex[:12]
    account = create_account(name=name, email=f"{name}@example.com", actor="system:tests", now=now)
    zone = add_zone(account.pk, name=f"{name}.example", actor="system:tests", now=now)
    if card:
        store_test_card(account.pk, number=card, actor="system:tests", now=now)
    return account, zone


def wish(
    account: Account,
    zone: Zone,
    plan_name: str = "pro",
    interval_name: str = "monthly",
    components: tuple[ComponentValue, ...] = (),
    **changes: object,
) -> ChangeRequest:
    """Return the request that the zone have this plan, as a customer who is present makes it."""
    want = Want(
        object_kind=ObjectKind.ZONE,
        object_id=zone.pk,
        plan_name=plan_name,
        interval_name=interval_name,
        components=components,
    )
    details: dict[str, object] = {
        "account_id": account.pk,
        "wants": (want,),
        "origin": Origin.DASHBOARD,
        "actor": "customer:tests",
        "on_session": True,
        "requested_at": clock.now(),
    }
    return ChangeRequest(**(details | changes))  # type: ignore[arg-type]


def more(name: str, value: int) -> tuple[ComponentValue, ...]:
    """Return the wish for so many of one component."""
    return (ComponentValue(name, value),)
