"""Stripe's lists: newest first, a cursor on either side, ten at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from .errors import malformed, missing
from .params import Params

Object = dict[str, Any]


def page(objects: Iterable[Object], params: Params, url: str) -> Object:
    """
    Return one page of `objects`, which come newest first.

    `starting_after` goes on to older ones; `ending_before` returns those just newer than the cursor, newest first.
    """
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise malformed("This value must be between 1 and 100.", param="limit", code="parameter_invalid_integer")
    if "starting_after" in params and "ending_before" in params:
        raise malformed("You may only specify one of these parameters: starting_after, ending_before.")

    if "ending_before" in params:
        newer = list(_until(objects, params["ending_before"]))
        data, has_more = newer[-limit:], len(newer) > limit
    else:
        rest = _after(objects, params["starting_after"]) if "starting_after" in params else iter(objects)
        data = list(islice(rest, limit))
        has_more = next(rest, None) is not None
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def within(moment: int | None, said: int | dict[str, int] | None) -> bool:
    """Tell whether a time lies in the range a list was asked for (`created[gte]=…`); no range holds everything."""
    if said is None:
        return True
    if moment is None:
        return False
    if isinstance(said, int):
        return moment == said
    tests = {
        "gt": lambda bound: moment > bound,
        "gte": lambda bound: moment >= bound,
        "lt": lambda bound: moment < bound,
        "lte": lambda bound: moment <= bound,
    }
    return all(tests[name](bound) for name, bound in said.items())


def _after(objects: Iterable[Object], cursor: str) -> Iterator[Object]:
    rest = iter(objects)
    for candidate in rest:
        if candidate["id"] == cursor:
            return rest
    raise missing("object", cursor, param="starting_after")


def _until(objects: Iterable[Object], cursor: str) -> Iterator[Object]:
    for candidate in objects:
        if candidate["id"] == cursor:
            return
        yield candidate
    raise missing("object", cursor, param="ending_before")
