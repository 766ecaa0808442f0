"""What a request may say: small parsers that turn form strings into values and refuse the rest in Stripe's words."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from .errors import StripeRefusal, malformed

Parser = Callable[[Any, str], Any]
Params = dict[str, Any]


def text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise malformed(f"Invalid string: {value}", param=name)
    if len(value) > 5000:
        raise malformed(f"Invalid string: {name} must be at most 5000 characters", param=name)
    return value


def integer(value: Any, name: str) -> int:
    if not isinstance(value, str) or not value.lstrip("-").isdigit():
        raise malformed(f"Invalid integer: {value}", param=name, code="parameter_invalid_integer")
    return int(value)


def count(value: Any, name: str) -> int:
    number = integer(value, name)
    if number < 0:
        raise malformed("This value must be greater than or equal to 0.", param=name, code="parameter_invalid_integer")
    return number


def boolean(value: Any, name: str) -> bool:
    if value not in ("true", "false"):
        raise malformed(f"Invalid boolean: {value}", param=name)
    return bool(value == "true")


def one_of(*choices: str) -> Parser:
    """Accept one of the listed words."""

    def parse(value: Any, name: str) -> str:
        if value not in choices:
            raise malformed(f"Invalid {name}: must be one of {', '.join(choices)}", param=name)
        return str(value)

    return parse


def either(*parsers: Parser) -> Parser:
    """Accept what the first parser that does not refuse makes of it."""

    def parse(value: Any, name: str) -> Any:
        for parser in parsers[:-1]:
            with suppress(StripeRefusal):
                return parser(value, name)
        return parsers[-1](value, name)

    return parse


def clearable(parser: Parser) -> Parser:
    """Accept the empty string as None: Stripe's way to unset a value."""

    def parse(value: Any, name: str) -> Any:
        return None if value == "" else parser(value, name)

    return parse


def many(parser: Parser) -> Parser:
    """Accept a list; the empty string is the empty list."""

    def parse(value: Any, name: str) -> list[Any]:
        if value == "":
            return []
        if not isinstance(value, list):
            raise malformed(f"Invalid array: {name}", param=name)
        return [parser(member, f"{name}[{position}]") for position, member in enumerate(value)]

    return parse


def group(required: Mapping[str, Parser] | None = None, /, **optional: Parser) -> Parser:
    """Accept a hash with these members and no other; names left out are absent from the result."""
    members = {**(required or {}), **optional}

    def parse(value: Any, name: str) -> Params:
        if not isinstance(value, dict):
            raise malformed(f"Invalid object: {name}", param=name)
        for unknown in value.keys() - members.keys():
            path = f"{name}[{unknown}]" if name else unknown
            raise malformed(f"Received unknown parameter: {path}", param=path, code="parameter_unknown")
        for needed in required or ():
            if value.get(needed, "") == "":
                path = f"{name}[{needed}]" if name else needed
                raise malformed(f"Missing required param: {path}.", param=path, code="parameter_missing")
        return {
            member: members[member](inner, f"{name}[{member}]" if name else member) for member, inner in value.items()
        }

    return parse


def metadata(value: Any, name: str) -> dict[str, str]:
    """Accept up to 50 keys of 40 letters with values of 500; the empty string clears all (`{"": ""}`)."""
    if value == "":
        return {"": ""}
    if not isinstance(value, dict):
        raise malformed(f"Invalid object: {name}", param=name)
    for key, member in value.items():
        if not isinstance(member, str) or len(key) > 40 or len(member) > 500 or len(value) > 50:
            raise malformed(f"Invalid metadata: {key}", param=f"{name}[{key}]")
    return dict(value)


def merged_metadata(old: dict[str, str], said: dict[str, str] | None) -> dict[str, str]:
    """Return metadata after an update: given keys replace, empty values delete, the empty string deletes all."""
    if said is None:
        return old
    if said == {"": ""}:
        return {}
    return {key: value for key, value in {**old, **said}.items() if value != ""}


def address(value: Any, name: str) -> dict[str, str | None] | None:
    """Accept an address, which is stored with all its members, or the empty string for none."""
    if value == "":
        return None
    said = group(**dict.fromkeys(ADDRESS_MEMBERS, clearable(text)))(value, name)
    return {**dict.fromkeys(ADDRESS_MEMBERS), **said}


ADDRESS_MEMBERS = ("city", "country", "line1", "line2", "postal_code", "state")
# What every list accepts.
TIME_RANGE = either(integer, group(gt=integer, gte=integer, lt=integer, lte=integer))
PAGE: dict[str, Parser] = {"limit": count, "starting_after": text, "ending_before": text}
