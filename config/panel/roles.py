"""Who may do what in NinjaPanel: one table, kept as Django's groups. To look is every role's."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as Stored
from django.contrib.contenttypes.models import ContentType

# The label under which our permissions stand among Django's: `ninja.refund`.
LABEL = "ninja"


class Role(StrEnum):
    """A group of people; the value is the group's name."""

    VIEWER = "viewer"
    AGENT = "agent"
    LEAD = "lead"
    FINANCE = "finance"
    OPERATOR = "operator"


class Permission(StrEnum):
    """What an act asks for; the value is stored."""

    SUPPORT = "support"
    CHANGE = "change"
    COLLECT = "collect"
    CREDIT = "credit"
    CREDIT_LARGE = "credit_large"
    CREDIT_ANY = "credit_any"
    REFUND = "refund"
    WRITE_OFF = "write_off"
    DISPUTE = "dispute"
    OPERATE = "operate"


IN_WORDS = {
    Permission.SUPPORT:      "write notes, help changes that wait, recompute",
    Permission.CHANGE:       "change what an account owns",
    Permission.COLLECT:      "ask for a payment",
    Permission.CREDIT:       "give small credits",
    Permission.CREDIT_LARGE: "give large credits",
    Permission.CREDIT_ANY:   "give credits of any size",
    Permission.REFUND:       "give money back",
    Permission.WRITE_OFF:    "write off, void or correct what was billed",
    Permission.DISPUTE:      "answer disputes",
    Permission.OPERATE:      "replay events, release what is stuck, stop and start parts",
}  # fmt: skip

_AGENT = frozenset({Permission.SUPPORT, Permission.CHANGE, Permission.COLLECT, Permission.CREDIT})
_MONEY = frozenset({Permission.CREDIT_LARGE, Permission.REFUND, Permission.WRITE_OFF, Permission.DISPUTE})

MAY: dict[Role, frozenset[Permission]] = {
    Role.VIEWER:   frozenset(),
    Role.AGENT:    _AGENT,
    Role.LEAD:     _AGENT | _MONEY,
    Role.FINANCE:  _MONEY | {Permission.COLLECT, Permission.CREDIT, Permission.CREDIT_ANY},
    Role.OPERATOR: frozenset({Permission.SUPPORT, Permission.OPERATE}),
}  # fmt: skip


class Somebody(Protocol):
    """Who is signed in."""

    def has_perm(self, perm: str) -> bool: ...


def permissions_of(user: Somebody) -> frozenset[Permission]:
    """Return what somebody may do, by their groups; a superuser everything. Two statements, once per request."""
    return frozenset(permission for permission in Permission if user.has_perm(f"{LABEL}.{permission}"))


def roles_with(permission: Permission) -> list[Role]:
    """Return the roles that may do this, in the table's order."""
    return [role for role in Role if permission in MAY[role]]


def put_in_place(viewable: Iterable[str]) -> None:
    """
    Make the groups be what the table says, no more and no less; who belongs to them stays.

    Every role may look at the rows of the apps with these labels. Safe to repeat.
    """
    kind, _ = ContentType.objects.get_or_create(app_label=LABEL, model="act")
    for permission in Permission:
        Stored.objects.update_or_create(
            content_type=kind, codename=permission.value, defaults={"name": IN_WORDS[permission]}
        )
    Stored.objects.filter(content_type=kind).exclude(codename__in=list(Permission)).delete()
    looks = Stored.objects.filter(content_type__app_label__in=list(viewable), codename__startswith="view_")
    for role in Role:
        group, _ = Group.objects.get_or_create(name=role.value)
        acts = Stored.objects.filter(content_type=kind, codename__in=[permission.value for permission in MAY[role]])
        group.permissions.set([*looks, *acts])
