"""Items of subscriptions at Stripe."""

from .client import client
from .errors import translated
from .shapes import Raw, raw_of


def whole(raw: Raw) -> Raw:
    """
    Return a subscription with every item of it: by itself it shows no more than ten. No call where those are all.

    What is billed is read from its items, so one that is cut short must not get any further than this folder.
    """
    items = raw.get("items") or {}
    if not items.get("has_more"):
        return raw
    with translated():
        pages = client().v1.subscription_items.list({"subscription": raw["id"], "limit": 100}).auto_paging_iter()
        every = [raw_of(item) for item in pages]
    return {**raw, "items": {**items, "data": every, "has_more": False}}
