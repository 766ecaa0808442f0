"""Stripe's form encoding: `items[0][price]=x&metadata[a]=b` as nested dictionaries and lists."""

import re
from typing import Any
from urllib.parse import parse_qsl

from .errors import malformed

PART = re.compile(r"\[([^\[\]]*)\]")


def decode_form(text: str) -> dict[str, Any]:
    """
    Return the nested value of a form or query string; every leaf is a string.

    `a[]=x&a[]=y` and `a[0]=x&a[1]=y` both make a list, in order of appearance.

    :raises StripeRefusal: a key is not closed, or is used both as a value and as a group.
    """
    root: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        _place(root, _path(key), value, key)
    return {name: _lists(value) for name, value in root.items()}


def _path(key: str) -> list[str]:
    name, bracket, rest = key.partition("[")
    parts = PART.findall(bracket + rest)
    if not name or "".join(f"[{part}]" for part in parts) != bracket + rest:
        raise malformed(f"Invalid form key: {key}", param=key)
    return [name, *parts]


def _place(root: dict[str, Any], path: list[str], value: str, key: str) -> None:
    group = root
    for position, part in enumerate(path):
        name = str(len(group)) if part == "" else part
        if position == len(path) - 1:
            if isinstance(group.get(name), dict):
                raise malformed(f"Invalid form key: {key}", param=key)
            group[name] = value
        else:
            group = group.setdefault(name, {})
            if not isinstance(group, dict):
                raise malformed(f"Invalid form key: {key}", param=key)


def _lists(value: Any) -> Any:
    """Turn a group whose names count from 0 into a list, at every depth (metadata may have a key "12")."""
    if not isinstance(value, dict):
        return value
    if value and value.keys() == {str(position) for position in range(len(value))}:
        return [_lists(value[str(position)]) for position in range(len(value))]
    return {name: _lists(member) for name, member in value.items()}
