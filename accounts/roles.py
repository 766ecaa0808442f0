"""Who in an account may do what. Pure: two tables and one question."""

from enum import Enum, StrEnum


class Role(StrEnum):
    """A member's role in one account; the values are stored."""

    SUPER_ADMINISTRATOR = "super_administrator"
    ADMINISTRATOR = "administrator"
    BILLING = "billing"
    READ_ONLY = "read_only"


class Scope(StrEnum):
    """What a token may be used for; the values are stored. The last six are for services and internal callers."""

    BILLING_READ = "billing:read"
    BILLING_EDIT = "billing:edit"
    ENTITLEMENTS_READ = "entitlements:read"
    STATUS_READ = "status:read"
    USAGE_WRITE = "usage:write"
    JOURNAL_READ = "journal:read"
    CHANGES_WRITE = "changes:write"
    CATALOG_PUBLISH = "catalog:publish"


class Permission(Enum):
    """What an endpoint asks for."""

    READ = "read"
    CHANGE_SUBSCRIPTIONS = "change subscriptions"
    PAY = "pay and edit payment methods and the billing profile"
    ADMINISTER = "administer the account"
    ACT_FOR_ONESELF = "open accounts and leave them"


MAY: dict[Role, frozenset[Permission]] = {
    Role.SUPER_ADMINISTRATOR: frozenset(Permission),
    Role.ADMINISTRATOR:       frozenset({Permission.READ, Permission.ACT_FOR_ONESELF, Permission.CHANGE_SUBSCRIPTIONS}),
    Role.BILLING:             frozenset({Permission.READ, Permission.ACT_FOR_ONESELF, Permission.PAY}),
    Role.READ_ONLY:           frozenset({Permission.READ, Permission.ACT_FOR_ONESELF}),
}  # fmt: skip

NEEDS_SCOPE: dict[Permission, Scope] = {
    Permission.READ:                 Scope.BILLING_READ,
    Permission.CHANGE_SUBSCRIPTIONS: Scope.BILLING_EDIT,
    Permission.PAY:                  Scope.BILLING_EDIT,
    Permission.ADMINISTER:           Scope.BILLING_EDIT,
    Permission.ACT_FOR_ONESELF:      Scope.BILLING_EDIT,
}  # fmt: skip


def may(role: Role, scopes: frozenset[Scope], permission: Permission) -> bool:
    """Return whether a token with `scopes`, held by a member with `role`, may do what `permission` names."""
    return permission in MAY[role] and NEEDS_SCOPE[permission] in scopes
