"""What is granted from now on is billed no longer: it goes off at Stripe, charging and crediting nothing. Pure."""

from datetime import datetime

from ..payments.paths import PaymentPath
from .billed import items_after, items_before
from .change_set import ChangeSet, ElementChange, StripeCall
from .items import without_payment
from .request import ChangeRequest
from .settled import settled
from .snapshot import Schedule, Snapshot


def let_go(request: ChangeRequest, snapshot: Snapshot, changes: tuple[ElementChange, ...]) -> ChangeSet:
    """
    Return the change in which nothing is paid and something is not billed any more.

    What was paid stays paid: whether the rest of it is given back is a decision of its own (a credit, a refund).
    A subscription that nothing remains on ends at once, and its clock with it.
    """
    held = {element.id: element.license_source_id.partition(":")[0] for element in snapshot.elements}
    calls, claims = [], []
    for schedule in snapshot.schedules:
        gone = tuple(change for change in changes if held.get(change.ope_id) == schedule.stripe_subscription_id)
        if gone:
            calls.append(_call(snapshot, gone, schedule, at=request.requested_at.replace(microsecond=0)))
            claims.append(f"clock:{schedule.interval}")
    phase = next(change.after or change.before for change in changes)
    return ChangeSet(
        path=PaymentPath.NOTHING_DUE,
        currency=phase.currency if phase else "",
        interval=phase.interval if phase else "",
        due_now_minor=0,
        period_start=None,
        period_end=None,
        elements=changes,
        calls=tuple(calls),
        claims=(*(f"object:{object_id}" for object_id in request.object_ids), *dict.fromkeys(claims)),
    )


def _call(snapshot: Snapshot, gone: tuple[ElementChange, ...], schedule: Schedule, *, at: datetime) -> StripeCall:
    # Items that bill nothing already are left to whoever takes them off.
    before = {price: item for price, item in items_before(snapshot, schedule).items() if item.quantity}
    after = {price: item for price, item in items_after(snapshot, gone, schedule).items() if item.quantity}
    if not after:
        return StripeCall("subscriptions.cancel", {}, schedule.stripe_subscription_id)
    currency = next(change.before.currency for change in gone if change.before)
    params = without_payment(before, after) | settled(before, after, schedule.period_at(at), currency=currency, at=at)
    return StripeCall("subscriptions.update", params, schedule.stripe_subscription_id)
