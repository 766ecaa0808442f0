"""
Holds raw JSON against the result types of the public API's contract (`contract.json`).

Stricter than the SDK, which takes what it gets: a required key must be there, each value has its type, and
what the contract doesn't know is listed here or is a mistake.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

METHODS = json.loads((Path(__file__).parent / "contract.json").read_text())["methods"]

# What we answer beyond the contract; SDKs keep it as extra attributes.
OURS = {
    "client_secret",
    "component_values",
    "credits",
    "price",
    "scheduled_change",
    "totals",
    "workflow_id",
    "zone",
}

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def deviations(method: str, result: Any) -> list[str]:
    """Return everything in which `result` is not what the SDK's method expects; [] if it is."""
    return list(_deviations(METHODS[method]["result"], result, "result"))


def _deviations(expected: Any, value: Any, where: str) -> Iterator[str]:
    if isinstance(expected, str):
        if not _is(expected, value):
            yield f"{where}: {value!r} is not {expected}"
        return
    ((kind, inner),) = expected.items()
    if kind == "nullable" and value is None:
        return
    yield from KINDS[kind](inner, value, where)


def _of_array(inner: Any, value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where}: {value!r} is no array"
        return
    for position, item in enumerate(value):
        yield from _deviations(inner, item, f"{where}[{position}]")


def _of_any(choices: list[Any], value: Any, where: str) -> Iterator[str]:
    if all(list(_deviations(choice, value, where)) for choice in choices):
        yield f"{where}: {value!r} is none of {choices}"


def _of_object(fields: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: {value!r} is no object"
        return
    for name, field in fields.items():
        if name in value:
            yield from _deviations(field["type"], value[name], f"{where}.{name}")
        elif field["required"]:
            yield f"{where}.{name}: is missing"
    for name in value.keys() - fields.keys() - OURS:
        yield f"{where}.{name}: is not in the contract"


def _of_map(inner: Any, value: Any, where: str) -> Iterator[str]:
    yield from [] if isinstance(value, dict) else [f"{where}: {value!r} is no object"]
    for name, each in value.items() if isinstance(value, dict) else ():
        yield from _deviations(inner, each, f"{where}.{name}")


def _is(expected: str, value: Any) -> bool:
    if value is None:
        return expected.endswith("|null") or expected == "any"
    expected = expected.removesuffix("|null")
    if expected.startswith("enum("):
        return value in expected[5:-1].split(", ")
    return TYPES[expected](value)


KINDS = {"nullable": _deviations, "array": _of_array, "anyOf": _of_any, "object": _of_object, "map": _of_map}
TYPES: dict[str, Callable[[Any], bool]] = {
    "any": lambda _value: True,
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "datetime": lambda value: isinstance(value, str) and bool(_RFC3339.fullmatch(value)),
}
