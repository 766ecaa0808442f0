"""What each kind of change may cost: calls to Stripe, and statements, whatever the account owns already."""

from uuid import uuid4

import pytest

from billing.add_zone import add_zone
from billing.buy_cart import buy_cart
from billing.changes_calculator.preview import preview
from billing.changes_calculator.request import ObjectKind, Want
from billing.changes_calculator.scheduled import take_back
from billing.changes_calculator.submit import submit
from billing.models.objectproducts import Ope
from config import clock as business
from tests.billing.people import customer, more, wish
from tests.counting import count_statements
from tests.crash_points import settle

pytestmark = pytest.mark.usefixtures("story", "catalog")

MOST_STATEMENTS = 25
FEW, MANY = 2, 30


def buys(plan_name, interval_name="monthly", components=()):
    return lambda account, zone: submit(wish(account, zone, plan_name, interval_name, components))


def nothing(_account, _zone):
    """Pro is owned, as everywhere."""


def takes_back(account, zone):
    owned = Ope.objects.get(object_id=zone.pk, product="zone_plans", deleted_date__isnull=True)
    take_back(account.pk, owned.subscription_id, actor="system:tests", now=business.now())


KINDS = [
    # kind              before                 the change                                         calls to Stripe
    ("upgrade",         nothing,               buys("business"),                                  {"Subscription.update": 1}),
    ("a component",     nothing,               buys("pro", components=more("page_rules", 30)),    {"Subscription.update": 1}),
    ("the same again",  nothing,               buys("pro"),                                       {}),
    ("preview",         nothing,               lambda a, z: preview(wish(a, z, "business")),      {}),
    ("cancel",          nothing,               buys("free"),                                      {}),
    ("downgrade",       buys("business"),      buys("pro"),                                       {}),
    ("taken back",      buys("free"),          takes_back,                                        {}),
]  # fmt: skip


def owner(size):
    """An account and its zones, so many, each with Pro, bought by one cart."""
    account, first = customer()
    more_zones = [
        add_zone(account.pk, name=f"{uuid4().hex}.example", actor="system:tests", now=business.now())
        for _ in range(size - 1)
    ]
    wants = tuple(Want(ObjectKind.ZONE, zone.pk, "pro", "monthly") for zone in (first, *more_zones))
    buy_cart(wish(account, first, wants=wants), key=uuid4().hex)
    return account, [first, *more_zones]


def cost(account, zone, before, change, stripe_calls):
    before(account, zone)
    settle()
    called = stripe_calls()
    with count_statements() as statements:
        change(account, zone)
    return len(statements), dict(stripe_calls() - called)


def test_a_change_costs_the_same_whatever_is_owned(stripe_calls):
    many, zones = owner(MANY)

    for (name, before, change, calls), zone in zip(KINDS, zones, strict=False):
        few, (other, *_) = owner(FEW)
        at_few, at_many = (
            cost(account, each, before, change, stripe_calls) for account, each in ((few, other), (many, zone))
        )

        assert at_few == at_many, name
        assert at_few[0] <= MOST_STATEMENTS, name
        assert at_few[1] == calls, name
