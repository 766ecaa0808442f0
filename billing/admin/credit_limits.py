"""How much credit an agent may give at once, by what their roles permit: one table. Pure."""

from collections.abc import Set as AbstractSet

from config.panel.roles import Permission

# The most in minor units, from the widest permission down; None: any amount.
MOST_MINOR: dict[Permission, int | None] = {
    Permission.CREDIT_ANY:   None,
    Permission.CREDIT_LARGE: 1_000_00,
    Permission.CREDIT:       100_00,
}  # fmt: skip


def is_within(amount_minor: int, permissions: AbstractSet[Permission]) -> bool:
    """Return whether somebody with these permissions may give so much at once."""
    most = [limit for permission, limit in MOST_MINOR.items() if permission in permissions]
    return any(limit is None or amount_minor <= limit for limit in most)


def most_minor(permissions: AbstractSet[Permission]) -> int | None:
    """Return the most that they may give at once; None for any amount, 0 for none."""
    return next((limit for permission, limit in MOST_MINOR.items() if permission in permissions), 0)
