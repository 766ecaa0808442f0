"""Rows that tests begin with, and the tokens to call with. They are written directly, past the guards of the stores."""

from datetime import UTC, datetime
from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts import tokens
from accounts.flags import AccountFlag
from accounts.models import Account, Member, Person, SubsAccount, Zone, new_id
from accounts.roles import Role, Scope
from billing.models.objectproducts import Ope
from billing.objectproducts.phases import Phase
from tests.guard import unguarded

SINCE = datetime(2026, 1, 15, 12, tzinfo=UTC)


class RowFactory(DjangoModelFactory[Any]):
    """Writes rows that nobody has to account for."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        with unguarded():
            return super()._create(model_class, *args, **kwargs)


class AccountFactory(RowFactory):
    """An account with its billing profile, in good standing."""

    class Meta:
        model = Account
        skip_postgeneration_save = True

    name = factory.Sequence(lambda number: f"Account {number}")
    created_at = SINCE
    profile = factory.RelatedFactory("tests.factories.ProfileFactory", factory_related_name="account")


class ProfileFactory(RowFactory):
    """What the account is billed by."""

    class Meta:
        model = SubsAccount

    account = factory.SubFactory(AccountFactory, profile=None)
    email = factory.LazyFunction(lambda: f"billing-{new_id()}@example.com")


class PersonFactory(RowFactory):
    class Meta:
        model = Person

    email = factory.LazyFunction(lambda: f"person-{new_id()}@example.com")
    created_at = SINCE


class MemberFactory(RowFactory):
    """A person in an account; by default one who may do everything."""

    class Meta:
        model = Member

    account = factory.SubFactory(AccountFactory)
    person = factory.SubFactory(PersonFactory)
    role = Role.SUPER_ADMINISTRATOR.value
    created_at = SINCE


class ZoneFactory(RowFactory):
    """A zone without any plan; `free_plan` gives it the row that every real zone has."""

    class Meta:
        model = Zone

    account = factory.SubFactory(AccountFactory)
    name = factory.LazyFunction(lambda: f"{new_id()}.example.com")
    created_at = SINCE


class OpeFactory(RowFactory):
    """A zone's plan; free unless `phase` says otherwise."""

    class Meta:
        model = Ope

    class Params:
        zone = None
        phase = factory.LazyFunction(lambda: phase_of("free"))

    account = factory.SelfAttribute("zone.account")
    object_kind = "zone"
    object_id = factory.SelfAttribute("zone.pk")
    product = "zone_plans"
    kind = Ope.Kind.ENUM
    subscription_id = factory.LazyFunction(new_id)
    value_phases = factory.LazyAttribute(lambda ope: [ope.phase.to_json()])
    license_source_id = "USER:free"
    created_date = SINCE


def clear(**fields: Any) -> Account:
    """An account that owes nothing."""
    return AccountFactory.create(**fields)


def owing(**fields: Any) -> Account:
    """An account that carries the bad-debt flag."""
    account = AccountFactory.create(**fields)
    with unguarded():
        SubsAccount.objects.filter(pk=account.pk).update(flags=AccountFlag.BAD_DEBT)
    return account


def free_zone(account: Account, **fields: Any) -> Zone:
    """A zone on the free plan."""
    zone = ZoneFactory.create(account=account, **fields)
    OpeFactory.create(zone=zone)
    return zone


def phase_of(plan: str, **fields: Any) -> Phase:
    """A phase of a zone plan as the catalogue sells it: monthly, from SINCE, for ever if it is free."""
    rank, amount_minor = {"free": (0, 0), "pro": (1, 2500), "business": (2, 25000)}[plan]
    return Phase(
        **{
            "value": plan,
            "rank": rank,
            "rate_plan_id": plan,
            "price_id": f"{plan}_month_v1",
            "stripe_price_id": f"price_{plan}" if amount_minor else "",
            "interval": "month",
            "unit_amount_minor": amount_minor,
            "billed_quantity": 1,
            "currency": "usd",
            "starts_at": SINCE,
            "ends_at": SINCE.replace(month=SINCE.month + 1) if rank else None,
            **fields,
        }
    )


def token_for(
    account: Account,
    *,
    role: Role = Role.SUPER_ADMINISTRATOR,
    scopes: tuple[Scope, ...] = tokens.CUSTOMER_SCOPES,
    **fields: Any,
) -> str:
    """A token with these scopes, of a new member with this role; it reaches every account of that person."""
    member = MemberFactory.create(account=account, role=role.value)
    return tokens.issue(name="test", person=member.person, scopes=scopes, **fields)


def service_token(*scopes: Scope) -> str:
    """A token of a service: no person, no account."""
    return tokens.issue(name="service", person=None, scopes=scopes)
