"""
The words in which the journal's kinds say what they keep: each a JSON Schema with an example. Pure.

A field is data, so that the schemas for services, the examples and the tests' watch over what is written
all come from the same row of `journal_kinds.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """What one value may be. `is_required`: whether a record must have it."""

    schema: Mapping[str, Any]
    example: Any
    is_required: bool = True


ID = Field({"type": "string", "pattern": "^[0-9a-f]{32}$"}, "0f6c2ab94e1d4c7f8a35d1be90c7e4a2")
REFERENCE = Field({"type": "string", "maxLength": 255}, "in_1SabcXYZ")  # what others call a thing
WORD = Field({"type": "string", "pattern": "^[A-Za-z0-9_.:-]*$", "maxLength": 120}, "paid")
COUNT = Field({"type": "integer", "minimum": 0}, 1)
YES_OR_NO = Field({"type": "boolean"}, True)
MINOR = Field({"type": "integer"}, 2500)  # minor units of the currency beside it
CURRENCY = Field({"type": "string", "pattern": "^[a-z]{3}$"}, "usd")
TIME = Field({"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
             "2027-03-05T10:30:00Z")  # fmt: skip
TEXT_OR_NULL = Field({"type": ["string", "null"]}, "pro")
ANYTHING = Field({}, 100)


def word(*allowed: str) -> Field:
    """Return a field that is one of these words."""
    return Field({"enum": list(allowed)}, allowed[0])


def like(field: Field, example: Any) -> Field:
    """Return the same field with another example."""
    return replace(field, example=example)


def optional(field: Field) -> Field:
    """Return a field that a record may lack."""
    return replace(field, is_required=False)


def or_null(field: Field) -> Field:
    """Return a field that may be null too."""
    return replace(field, schema={"anyOf": [dict(field.schema), {"type": "null"}]})


def several(field: Field) -> Field:
    """Return a list of such fields."""
    return Field({"type": "array", "items": dict(field.schema)}, [field.example])


def each(name: str, field: Field) -> Field:
    """Return an object whose names are data, like `name`, and whose values are all such fields."""
    return Field({"type": "object", "additionalProperties": dict(field.schema)}, {name: field.example})


def record(**fields: Field) -> Field:
    """Return an object with these fields and no others."""
    schema = {
        "type": "object",
        "properties": {name: dict(field.schema) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.is_required],
        "additionalProperties": False,
    }
    return Field(schema, {name: field.example for name, field in fields.items()})


NOTHING = record()
