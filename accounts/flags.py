"""The bits of `subs_account.flags`. Pure; the only code that shifts bits."""

from enum import IntFlag


class AccountFlag(IntFlag):
    """One bit of an account's flags. Bits we don't name here belong to others and are kept as they are."""

    BAD_DEBT = 1 << 15


def has_flag(flags: int, flag: AccountFlag) -> bool:
    """Return whether `flag` is set in `flags`."""
    return bool(flags & flag)


def with_flag(flags: int, flag: AccountFlag, *, on: bool) -> int:
    """Return `flags` with `flag` set or cleared and every other bit untouched."""
    return flags | flag if on else flags & ~flag
