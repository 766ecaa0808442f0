"""Stage 3 of 4, Plan: decide what to write and what to ask of Stripe. Pure; sync_save.py does it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from ..objectproducts.phases import Phase
from ..payments.paths import BEHAVIOUR, PaymentPath, path_of
from .billed import items_after, items_before
from .change_set import STRIPE, ChangeSet, ElementChange, PlannedLine, StripeCall
from .clocks import clock_for, same_anchor
from .credited import paid_by_credit
from .domains import plan_domains
from .items import Item, moves
from .letting_go import let_go
from .licences import USAGE_LICENSE
from .lines import Share, divided, net_minor
from .method_first import ask_for_method, method_first
from .proration import prorate
from .request import ChangeRequest
from .snapshot import Schedule, Snapshot
from .split import split
from .switch_interval import leaving, with_credit


def plan(request: ChangeRequest, snapshot: Snapshot) -> ChangeSet:
    """
    Return everything that turns `snapshot` into what `request` asks for.

    What grows starts now: a first purchase charges its period in full; on a clock that runs, the rest of the period
    is charged, with credit for what it replaces. Amounts are minor units. What is so already comes back as the
    empty ChangeSet: clients repeat their requests.

    :raises ChangeRefused: Stripe takes no more of it today.
    :raises AssertionError: Validate would have refused this request (a bug of the caller).
    """
    if request.is_of_domains:
        return plan_domains(request, snapshot)
    changes, scheduled = split(request, snapshot)
    change = paid_by_credit(_now(request, snapshot, changes), snapshot.credits, at=request.requested_at)
    return replace(change, scheduled=scheduled)


def _now(request: ChangeRequest, snapshot: Snapshot, changes: tuple[ElementChange, ...]) -> ChangeSet:
    """What happens at once, and what it costs."""
    paid = [change for change in changes if _is_billed(change)]
    if not paid:
        needs_method = not snapshot.methods and any(change.license_source == USAGE_LICENSE for change in changes)
        return method_first(request, changes) if needs_method else _without_stripe(changes)
    if all(change.license_source != STRIPE for change in paid):
        return let_go(request, snapshot, changes)
    bought = {each.after.interval for each in paid if each.after is not None and each.after.amount_minor}
    (interval,) = bought or {each.before.interval for each in paid if each.before is not None}
    schedule = clock_for(snapshot, changes, interval)
    change_set = (
        _join(request, snapshot, changes, schedule)
        if schedule is not None
        else _start(request, snapshot, changes, snapshot.schedule(interval))
    )
    left = leaving(changes, snapshot, interval)
    return with_credit(change_set, left, at=request.requested_at.replace(microsecond=0)) if left else change_set


def _is_billed(change: ElementChange) -> bool:
    """Whether Stripe bills the component after the change, or did before it."""
    phases = (phase for phase in (change.before, change.after) if phase)
    return any(phase.stripe_price_id and phase.amount_minor for phase in phases)


def _without_stripe(changes: tuple[ElementChange, ...]) -> ChangeSet:
    phase = changes[0].after if changes else None
    return ChangeSet(
        path=PaymentPath.NOTHING_DUE,
        currency=phase.currency if phase else "",
        interval=phase.interval if phase else "",
        due_now_minor=0,
        period_start=None,
        period_end=None,
        elements=changes,
    )


def _start(
    request: ChangeRequest, snapshot: Snapshot, changes: tuple[ElementChange, ...], beside: Schedule | None
) -> ChangeSet:
    """A Stripe subscription is made: by the interval's first purchase, with its clock; or `beside` one that is full."""
    at = request.requested_at.replace(microsecond=0)
    lines = tuple(
        PlannedLine(
            ope_id=change.ope_id,
            description=change.after.billed_as(change.product, is_plan=change.kind == "enum"),
            price_id=change.after.price_id,
            stripe_price_id=change.after.stripe_price_id,
            quantity=change.after.billed_quantity,
            unit_amount_minor=change.after.unit_amount_minor,
            amount_minor=prorate(change.after.amount_minor, *beside.period_at(at), at)
            if beside
            else change.after.amount_minor,
        )
        for change in changes
        if change.after is not None and change.after.stripe_price_id
    )
    items = [
        {"price": price, "quantity": item.quantity} for price, item in items_after(snapshot, changes, None).items()
    ]
    made = _change_set(request, snapshot, changes, lines, None, items)
    if beside is None:
        return made
    (call,) = made.calls
    params = call.params | same_anchor(beside, lines, made.currency, at)
    return replace(made, calls=(replace(call, params=params),))


def _join(
    request: ChangeRequest, snapshot: Snapshot, changes: tuple[ElementChange, ...], schedule: Schedule
) -> ChangeSet:
    """A change on a clock that runs: the subscription's items change, and the rest of the period is charged."""
    before, after = items_before(snapshot, schedule), items_after(snapshot, changes, schedule)
    moved = moves(before, after)
    if not moved:
        return _without_stripe(changes)  # as many are billed at each price as before
    emptied = {item["id"] for item in moved if item.get("quantity") == 0}
    lines = _prorated_lines(changes, before, after, schedule, request.requested_at.replace(microsecond=0))
    return replace(
        _change_set(request, snapshot, changes, lines, schedule, moved),
        emptied={price: item.id for price, item in before.items() if item.id in emptied},
        refilled=tuple(price for price, item in before.items() if not item.quantity and after[price].quantity),
    )


def _change_set(
    request: ChangeRequest,
    snapshot: Snapshot,
    changes: tuple[ElementChange, ...],
    lines: tuple[PlannedLine, ...],
    schedule: Schedule | None,
    items: list[dict[str, Any]],
) -> ChangeSet:
    due_now_minor = sum(line.amount_minor for line in lines)
    path = path_of(joins_clock=schedule is not None, on_session=request.on_session, needs_method=snapshot.needs_method)
    method = snapshot.default_method()
    phase = next(change.after for change in changes if change.after is not None)
    call = _call(request, path, schedule, items, method.processor_id if method else "")
    return ChangeSet(
        path=path,
        currency=phase.currency,
        interval=phase.interval,
        due_now_minor=due_now_minor,
        period_start=phase.starts_at,
        period_end=phase.ends_at,
        elements=changes,
        lines=lines,
        calls=(ask_for_method(request), call) if path is PaymentPath.METHOD_THEN_UPDATE else (call,),
        schedule_id=schedule.id if schedule else "",
        method_id=method.id if method else "",
        method_processor_id=method.processor_id if method else "",
        claims=(*(f"object:{object_id}" for object_id in request.object_ids), f"clock:{phase.interval}"),
    )


def _call(
    request: ChangeRequest, path: PaymentPath, schedule: Schedule | None, items: list[dict[str, Any]], method: str
) -> StripeCall:
    """The one call that asks for the money; a new subscription gets its customer when that is known."""
    behaviour = BEHAVIOUR[path]
    params: dict[str, Any] = {"items": items, "payment_behavior": behaviour.payment_behavior}
    if behaviour.off_session:
        params["off_session"] = True
    if schedule is not None:
        proration = {
            "proration_behavior": "always_invoice",
            "proration_date": int(request.requested_at.timestamp()),
            "expand": ["latest_invoice.confirmation_secret", "latest_invoice.payments"],
        }
        return StripeCall("subscriptions.update", params | proration, schedule.stripe_subscription_id)
    params |= {
        "billing_mode": {"type": "flexible"},
        "payment_settings": {"save_default_payment_method": "on_subscription"},
        "metadata": {"paygo_account": request.account_id, "paygo_workflow": request.id},
        "expand": ["latest_invoice.confirmation_secret", "latest_invoice.payments"],
    }
    if method:
        params["default_payment_method"] = method
    return StripeCall("subscriptions.create", params)


def _prorated_lines(
    changes: tuple[ElementChange, ...],
    before: dict[str, Item],
    after: dict[str, Item],
    schedule: Schedule,
    at: datetime,
) -> tuple[PlannedLine, ...]:
    """Each price's net, divided among the OPEs that change at it."""
    start, end = schedule.period_at(at)
    lines = []
    for price, item in after.items():
        moved = [(change, share) for change in changes if (share := _share(change, price)) is not None]
        net = net_minor(before.get(price), item, start, end, at)
        parts = divided(net, [share for _, share in moved])
        for change, share in moved:
            phase = _phase_at(change, price)
            lines.append(
                PlannedLine(
                    ope_id=change.ope_id,
                    description=phase.billed_as(change.product, is_plan=change.kind == "enum")
                    if share.delta > 0
                    else f"Unused time: {phase.billed_as(change.product, is_plan=change.kind == 'enum')}",
                    price_id=phase.price_id,
                    stripe_price_id=price,
                    quantity=share.delta,
                    unit_amount_minor=phase.unit_amount_minor,
                    amount_minor=parts[change.ope_id],
                )
            )
    return tuple(lines)


def _share(change: ElementChange, stripe_price_id: str) -> Share | None:
    was, will_be = (
        phase.billed_quantity if phase is not None and phase.stripe_price_id == stripe_price_id else 0
        for phase in (change.before, change.after)
    )
    return Share(change.ope_id, will_be - was) if will_be != was else None


def _phase_at(change: ElementChange, stripe_price_id: str) -> Phase:
    return next(p for p in (change.after, change.before) if p is not None and p.stripe_price_id == stripe_price_id)
