"""What another policy would mean: a cell of the table changed, for a look at what would follow. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from enum import Enum
from types import MappingProxyType
from typing import Any

from .policy import Cell, Lift, Policy, Treatment

READ: dict[str, Callable[[str], Any]] = {
    "treatment": Treatment,
    "lift": Lift,
    "retry_after_hours": lambda text: tuple(int(part) for part in text.split(",") if part),
    "grace_hours": int,
    "net_days": int,
}
YES_OR_NO = {"true": True, "yes": True, "false": False, "no": False}


class UnknownCell(ValueError):
    """No such type, member or value; the message says what there is."""


def with_cells(policy: Policy, wanted: Iterable[str]) -> Policy:
    """
    Return the policy with cells changed, each as `type.member=value`: `pay_go.grace_hours=72`, `academic.bans=yes`.

    :raises UnknownCell: it is written otherwise, or names what there is not.
    """
    cells = dict(policy.cells)
    for text in wanted:
        name, has_value, value = text.partition("=")
        account_type, _, member = name.partition(".")
        if not has_value or account_type not in cells:
            raise UnknownCell(f"{text!r}: write type.member=value, with one of the types {', '.join(sorted(cells))}.")
        cells[account_type] = replace(cells[account_type], **{member: _value(text, member, value)})
    return Policy(policy.version + 1, MappingProxyType(cells))


def _value(text: str, member: str, value: str) -> Any:
    members = [each.name for each in fields(Cell)]
    if member not in members:
        raise UnknownCell(f"{text!r}: a cell has {', '.join(members)}.")
    read = READ.get(member)
    try:
        return read(value) if read else YES_OR_NO[value.lower()]
    except (KeyError, ValueError) as error:
        kinds = ", ".join(each.value for each in read) if isinstance(read, type) and issubclass(read, Enum) else ""
        raise UnknownCell(f"{text!r}: {value!r} makes no sense there. {kinds or 'See dunning/policy.py.'}") from error
