"""Every request and answer of a test, held against the schema of Stripe's own SDK (stripe_schema.json)."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import stripe
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from sandbox.stripe.forms import decode_form

SCHEMA = json.loads((Path(__file__).parent / "stripe_schema.json").read_text())
SCHEMAS: dict[str, Any] = SCHEMA["schemas"]
REGISTRY = Registry().with_resource("urn:stripe", Resource.from_contents(SCHEMA, default_specification=DRAFT202012))
PATTERNS = [
    (name.split(" ")[0], re.compile(re.sub(r"\{\w+\}", "[^/]+", name.split(" ")[1])), name)
    for name in sorted(SCHEMA["operations"], key=lambda name: name.count("{"))
]
BY_OBJECT = {
    schema["properties"]["object"]["const"]: name
    for name, schema in SCHEMAS.items()
    if "Deleted" not in name and "const" in schema.get("properties", {}).get("object", {})
}


class CheckedClient(stripe.RequestsClient):
    """The SDK's own HTTP client, which fails the test when a request or an answer is not as Stripe's schema says."""

    def request(self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None) -> Any:
        target = urlsplit(url)
        body, status, answered = super().request(method, url, headers, post_data)
        said = decode_form(target.query or post_data or "")
        check_call(method.upper(), target.path, said, status, json.loads(body))
        return body, status, answered


def check_call(method: str, path: str, said: Any, status: int, answer: Any) -> None:
    """
    Hold one call against the schema.

    :raises AssertionError: names the operation and what is wrong. A refused request may be malformed on purpose.
    """
    if status >= 400:
        check("ErrorEnvelope", {"$ref": "urn:stripe#/schemas/ErrorEnvelope"}, answer)
        return
    operation = operation_of(method, path)
    schemas = SCHEMA["operations"][operation]
    check(f"{operation} request", schemas["request"], coerced(said, schemas["request"]))
    check(operation, schemas["response"], answer)
    for event in answer["data"] if answer.get("object") == "list" else [answer]:
        if event.get("object") == "event":
            check_event(event)


def check_event(event: Any) -> None:
    """Hold an event and the object in it against their schemas; what is deleted is shown as it last was."""
    check("Event", {"$ref": "urn:stripe#/schemas/Event"}, event)
    inner = event["data"]["object"]
    check(event["type"], {"$ref": f"urn:stripe#/schemas/{BY_OBJECT[inner['object']]}"}, inner)


def operation_of(method: str, path: str) -> str:
    return next(name for verb, pattern, name in PATTERNS if verb == method and pattern.fullmatch(path))


def check(what: str, schema: Any, value: Any) -> None:
    wrong = best_match(validator(json.dumps(schema)).iter_errors(value))
    assert wrong is None, f"{what}: at {'/'.join(map(str, wrong.absolute_path))}: {wrong.message[:600]}"


@cache
def validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema), registry=REGISTRY)


def coerced(value: Any, schema: Any) -> Any:
    """Return a form's strings as the schema types them, choosing the first alternative that then fits."""
    if "$ref" in schema:
        return coerced(value, SCHEMAS[schema["$ref"].rpartition("/")[2]])
    for alternatives in (schema.get("anyOf"), schema.get("oneOf")):
        for alternative in alternatives or ():
            candidate = coerced(value, alternative)
            if validator(json.dumps(alternative)).is_valid(candidate):
                return candidate
    kind = schema.get("type")
    if isinstance(value, str) and kind in ("number", "integer") and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return json.loads(value)
    if isinstance(value, str) and kind == "boolean" and value in ("true", "false"):
        return value == "true"
    if isinstance(value, list) and kind == "array":
        return [coerced(member, schema.get("items", {})) for member in value]
    if isinstance(value, dict):
        known, other = schema.get("properties", {}), schema.get("additionalProperties")
        return {
            name: coerced(member, known.get(name, other if isinstance(other, dict) else {}))
            for name, member in value.items()
        }
    return value
