"""Stripe's own list of what happened, of the last thirty days."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from .client import client
from .errors import translated
from .shapes import Raw, raw_of

PAGE = 100


def pages_since(since: datetime, *, undelivered_only: bool) -> Iterator[list[Raw]]:
    """Yield the events since then page by page, the newest first; one call a page."""
    params: Any = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
    if undelivered_only:
        params["delivery_success"] = False
    while True:
        with translated():
            page = client().v1.events.list(params)
        yield [raw_of(event) for event in page.data]
        if not page.has_more:
            return
        params["starting_after"] = page.data[-1].id


def ask_for_one() -> None:
    """
    Ask for the newest event, to see whether Stripe answers at all.

    :raises StripeUnavailable: it does not.
    """
    with translated():
        client().v1.events.list({"limit": 1})
