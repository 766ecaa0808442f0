"""The files that describe the events to services: a schema and an example per kind, from the registry. Pure."""

import json
from datetime import UTC, datetime
from typing import Any

from .journal_events import SEQUENCE_DIGITS, SOURCE, TO_SERVICES, TYPE_PREFIX, Told, envelope
from .journal_fields import ID, TIME
from .journal_kinds import KINDS, topic_of

_TEXT = {"type": "string"}


def schema_of(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind's event. Fields may be added: whoever reads ignores what they do not know."""
    row = KINDS[kind]
    data = {
        "actor": {"enum": ["customer", "agent", "service", "system"]},
        "cause": _TEXT | {"description": "what led to it: an event, a change, an invoice"},
        "before": _open(dict(row.before.schema)),
        "after": _open(dict(row.after.schema)),
    }
    properties = {
        "specversion": {"const": "1.0"},
        "id": _TEXT | {"pattern": "^[0-9]+$", "description": "the same when the event comes again"},
        "source": {"const": SOURCE},
        "type": {"const": TYPE_PREFIX + kind},
        "subject": dict(ID.schema) | {"description": "the account; absent where a fact is no account's"},
        "sequence": _TEXT
        | {"pattern": f"^[0-9]{{{SEQUENCE_DIGITS}}}$", "description": "orders the account's events across topics"},
        "time": dict(TIME.schema),
        "datacontenttype": {"const": "application/json"},
        "data": {"type": "object", "properties": data, "required": list(data)},
    }
    required = [name for name in properties if name not in {"subject", "sequence"}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:paygo:events:{kind}",
        "title": row.sentence,
        "type": "object",
        "properties": properties,
        "required": required,
    }


def example_of(kind: str) -> dict[str, Any]:
    """Return an event of the kind as it would be sent."""
    is_accounts = topic_of(kind).value != "catalog"
    return envelope(
        Told(
            entry_id=48151,
            kind=kind,
            account_id=ID.example if is_accounts else None,
            sequence=42 if is_accounts else None,
            actor="system:billing",
            cause=ID.example,
            before=KINDS[kind].before.example,
            after=KINDS[kind].after.example,
            at=datetime(2027, 3, 5, 10, 30, tzinfo=UTC),
        )
    )


def files() -> dict[str, str]:
    """Return every file of `docs/events/` by name."""
    described = {f"{kind}.schema.json": _text(schema_of(kind)) for kind in TO_SERVICES}
    examples = {f"{kind}.example.json": _text(example_of(kind)) for kind in TO_SERVICES}
    return described | examples | {"README.md": _index()}


def _index() -> str:
    rows = "\n".join(
        f"| `{TYPE_PREFIX}{kind}` | `paygo.{topic_of(kind).value}` | {KINDS[kind].sentence} "
        f"| [schema]({kind}.schema.json), [example]({kind}.example.json) |"
        for kind in TO_SERVICES
    )
    return (
        "# The events that services are told of\n\n"
        "Made by `manage.py describe_events` from `accounts/journal_kinds.py`. [What is promised](../events.md).\n\n"
        f"| Type | Topic | What happened | |\n|---|---|---|---|\n{rows}\n"
    )


def _open(schema: Any) -> Any:
    """Return a schema without its refusals of further properties: those hold for us, not for who reads."""
    if isinstance(schema, dict):
        return {
            name: _open(value) for name, value in schema.items() if (name, value) != ("additionalProperties", False)
        }
    return [_open(each) for each in schema] if isinstance(schema, list) else schema


def _text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
