"""
Which of a customer's Stripe subscriptions a change joins. Pure.

One per interval is what customers have. Stripe takes no more than 20 prices in one, and no more than 20 new invoices
for one within a day: beyond that, what is bought anew goes on a further subscription with the same anchor.
"""

from collections import Counter
from datetime import datetime
from typing import Any

from ..cfstripe.shapes import PRICE_KEY
from .billed import items_after, items_before
from .change_set import ElementChange, PlannedLine
from .items import moves
from .request import ChangeRefused, Refusal
from .snapshot import Schedule, Snapshot

MOST_PRICES = 20
MOST_INVOICES = 18  # a day; Stripe stops at 20, and what is due by itself must find room

LIMIT = Refusal(
    "too_many_changes",
    "The payment processor takes no more changes of this subscription today. Try again tomorrow.",
)
FULL = Refusal(
    "too_many_prices",
    "The subscription that bills this has as many different prices as can be. End one of them first.",
)
APART = Refusal("too_many_changes", "These are billed by different subscriptions. Change them one after the other.")


def clock_for(snapshot: Snapshot, changes: tuple[ElementChange, ...], interval: str) -> Schedule | None:
    """
    Return the clock that these changes join; None: a subscription is made for them, the interval's first or a further.

    What is billed already stays where it is billed.

    :raises ChangeRefused: where it is billed there is no room today, or what changes is billed in several places.
    """
    clocks = [schedule for schedule in snapshot.schedules if schedule.interval == interval]
    billed = {element.id: element.license_source_id.partition(":")[0] for element in snapshot.elements}
    homes = {billed.get(change.ope_id, "") for change in changes}
    held = [schedule for schedule in clocks if schedule.stripe_subscription_id in homes]
    if len(held) > 1:
        raise ChangeRefused(APART)
    if held:
        if held[0].invoices_today >= MOST_INVOICES:
            raise ChangeRefused(LIMIT)
        if not _has_room(snapshot, held[0], changes):
            raise ChangeRefused(FULL)
        return held[0]
    # The one that bills most, so that a further one is not needed for longer than it must be.
    bills = Counter(billed.values())
    fullest = sorted(clocks, key=lambda each: (-bills[each.stripe_subscription_id], each.id))
    return next((each for each in fullest if _has_room(snapshot, each, changes)), None)


def same_anchor(schedule: Schedule, lines: tuple[PlannedLine, ...], currency: str, at: datetime) -> dict[str, Any]:
    """
    Return what makes a new subscription one of the same anchor, whose first invoice is these lines and nothing else.

    The day is given as a day of the month: a 31st that begins in February is the 31st again in March.
    """
    anchor, (_, end) = schedule.anchor_at, schedule.period_at(at)
    config = {"day_of_month": anchor.day, "hour": anchor.hour, "minute": anchor.minute, "second": anchor.second}
    if schedule.interval == "year":
        config["month"] = anchor.month
    return {
        "billing_cycle_anchor_config": config,
        "proration_behavior": "none",
        "add_invoice_items": [_added(line, currency, start=at, end=end) for line in lines],
    }


def _added(line: PlannedLine, currency: str, *, start: datetime, end: datetime) -> dict[str, Any]:
    """One line at our own amount; its metadata name the price that it is the part of a period of."""
    series = line.price_id.rsplit("_", 2)[0]
    return {
        "price_data": {"currency": currency, "product": f"paygo_{series}", "unit_amount": line.amount_minor},
        "metadata": {PRICE_KEY: line.stripe_price_id},
        "period": {
            "start": {"type": "timestamp", "timestamp": int(start.timestamp())},
            "end": {"type": "timestamp", "timestamp": int(end.timestamp())},
        },
    }


def _has_room(snapshot: Snapshot, schedule: Schedule, changes: tuple[ElementChange, ...]) -> bool:
    return schedule.invoices_today < MOST_INVOICES and _items_of(snapshot, schedule, changes) <= MOST_PRICES


def _items_of(snapshot: Snapshot, schedule: Schedule, changes: tuple[ElementChange, ...]) -> int:
    """How many items it has during the change: an emptied one is there still, one at another price is the same."""
    before, after = items_before(snapshot, schedule), items_after(snapshot, changes, schedule)
    return len(before) + sum("id" not in move for move in moves(before, after))
