"""What Stripe bills by a subscription, put together from what the account owns, before a change and after it. Pure."""

from .change_set import ElementChange
from .items import Item
from .snapshot import Schedule, Snapshot


def items_before(snapshot: Snapshot, schedule: Schedule) -> dict[str, Item]:
    """The subscription's items by price, put together from what the account owns on it and what bills nothing now."""
    items = {empty.price_id: Item(empty.item_id, empty.price_id, 0, 0) for empty in schedule.empty_items}
    for element in snapshot.elements:
        subscription_id, _, item_id = element.license_source_id.partition(":")
        phase = element.current
        # What the plan includes is billed by no item of its own.
        if subscription_id == schedule.stripe_subscription_id and phase.billed_quantity:
            known = items.get(phase.stripe_price_id)
            quantity = phase.billed_quantity + (known.quantity if known else 0)
            items[phase.stripe_price_id] = Item(item_id, phase.stripe_price_id, phase.unit_amount_minor, quantity)
    return items


def items_after(snapshot: Snapshot, changes: tuple[ElementChange, ...], schedule: Schedule | None) -> dict[str, Item]:
    """The items as they should be, by price, in the order of the changes."""
    items = items_before(snapshot, schedule) if schedule else {}
    for change in changes:
        for phase, sign in ((change.before, -1), (change.after, 1)):
            if phase is not None and phase.stripe_price_id and (sign > 0 or phase.stripe_price_id in items):
                price, known = phase.stripe_price_id, items.get(phase.stripe_price_id)
                quantity = (known.quantity if known else 0) + sign * phase.billed_quantity
                items[price] = Item(known.id if known else "", price, phase.unit_amount_minor, quantity)
    return items
