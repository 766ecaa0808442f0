"""Search: `status:'active' AND metadata['account']:'a1'`, Stripe's query language as far as ids and values go."""

import re
from collections.abc import Callable
from typing import Any

from sandbox.world import World

from .errors import malformed
from .find import newest
from .params import Params, count, group, text

Object = dict[str, Any]

SEARCH = group({"query": text}, limit=count, page=text)
# One condition: perhaps "-", a field (or a key of the metadata), an operator, a quoted text or a number.
CONDITION = re.compile(
    r"""\s*(?P<not>-)?(?P<field>\w+)(?:\[(?P<quote>['"])(?P<key>.+?)(?P=quote)\])?\s*(?P<operator>:|~|>=|<=|>|<)\s*"""
    r"""(?:(?P<mark>['"])(?P<text>.*?)(?P=mark)|(?P<number>\d+)|(?P<null>null))\s*"""
)
JOINT = re.compile(r"(AND|OR)\b", re.IGNORECASE)
COMPARE: dict[str, Callable[[Any, int], bool]] = {
    ">": lambda value, bound: value > bound,
    "<": lambda value, bound: value < bound,
    ">=": lambda value, bound: value >= bound,
    "<=": lambda value, bound: value <= bound,
}

Test = Callable[[Object], bool]


def customers(world: World, params: Params) -> Object:
    return _search(world, "customer", params)


def subscriptions(world: World, params: Params) -> Object:
    return _search(world, "subscription", params)


def invoices(world: World, params: Params) -> Object:
    return _search(world, "invoice", params)


def _search(world: World, kind: str, params: Params) -> Object:
    """Return a page of what fits, newest first. Here at once; at Stripe a new object may take a minute to be found."""
    fits = parsed(params["query"])
    found = [stored for stored in newest(world, kind) if fits(stored)]
    start, limit = int(params.get("page", "0")), params.get("limit", 10)
    more = start + limit < len(found)
    return {
        "object": "search_result",
        "data": found[start : start + limit],
        "has_more": more,
        "next_page": str(start + limit) if more else None,
        "url": f"/v1/{kind}s/search",
    }


def parsed(query: str) -> Test:
    """
    Return the test a query describes: conditions joined by AND or by OR, not by both.

    :raises StripeRefusal: it cannot be read.
    """
    tests: list[Test] = []
    joints: set[str] = set()
    rest = query
    while True:
        match = CONDITION.match(rest)
        if match is None:
            raise _unreadable(query)
        tests.append(_test(match))
        rest = rest[match.end() :]
        if not rest:
            break
        joint = JOINT.match(rest)
        if joint is None:
            raise _unreadable(query)
        joints.add(joint[1].upper())
        rest = rest[joint.end() :]
    if len(joints) > 1:
        raise malformed("You cannot combine AND and OR in the same query.", param="query")
    return lambda stored: (any if joints == {"OR"} else all)(test(stored) for test in tests)


def _test(match: re.Match[str]) -> Test:
    field, key, operator = match["field"], match["key"], match["operator"]

    def value_of(stored: Object) -> Any:
        return stored["metadata"].get(key) if key is not None else stored.get(field, stored.get(f"_{field}"))

    def holds(stored: Object) -> bool:
        value = value_of(stored)
        if match["null"]:
            return value is None
        if value is None:
            return False
        if operator in COMPARE:
            return COMPARE[operator](value, int(match["number"] or match["text"]))
        wanted = match["text"] if match["text"] is not None else match["number"]
        if operator == "~":
            return wanted.lower() in str(value).lower()
        return str(value).lower() == wanted.lower()

    return (lambda stored: not holds(stored)) if match["not"] else holds


def _unreadable(query: str) -> Exception:
    return malformed(f"We were unable to parse your search query: {query}", param="query")
