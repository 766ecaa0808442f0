"""
From monthly to yearly and back: two clocks are concerned, and what was paid on the one counts on the other. Pure.

To yearly: now. The yearly subscription bills what is bought, with what is unused of the month as negative lines on
the same invoice, which is never negative as a whole. To monthly: when the year is over.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ..objectproducts.phases import Phase
from .change_set import ChangeSet, ElementChange, PlannedLine, StripeCall
from .proration import prorate
from .snapshot import Schedule, Snapshot
from .wish import Wish


@dataclass(frozen=True, slots=True)
class Leaving:
    """An OPE that another clock billed until now."""

    change: ElementChange
    before: Phase
    clock: Schedule

    def unused_minor(self, at: datetime) -> int:
        """Return what of the old period was paid for and not used, in minor units; nothing when it is over."""
        if self.before.ends_at is None or self.before.ends_at <= at:
            return 0
        start, end = self.clock.period_at(self.before.ends_at - timedelta(microseconds=1))
        return prorate(self.before.amount_minor, start, end, at)


def leaving(changes: tuple[ElementChange, ...], snapshot: Snapshot, interval: str) -> list[Leaving]:
    """Return what of these changes leaves the clock that bills it, for that of `interval`."""
    clocks = {schedule.stripe_subscription_id: schedule for schedule in snapshot.schedules}
    licences = {element.id: element.license_source_id for element in snapshot.elements}
    found = []
    for change in changes:
        clock = clocks.get(licences.get(change.ope_id, "").partition(":")[0])
        if clock is not None and change.before is not None and clock.interval != interval:
            found.append(Leaving(change, change.before, clock))
    return found


def with_credit(change_set: ChangeSet, left: list[Leaving], *, at: datetime) -> ChangeSet:
    """
    Return the change with what is unused of the old period as negative lines, one for each OPE.

    All of it, as long as the whole is not negative; of what is more than the new period costs, nothing is left over.
    """
    to_pay_minor, lines, added = change_set.due_now_minor, [], []
    for leaver in left:
        credit_minor = min(leaver.unused_minor(at), to_pay_minor)
        if credit_minor > 0:
            to_pay_minor -= credit_minor
            line = _line(leaver, credit_minor)
            lines.append(line)
            added.append(_added(line, leaver.before))
    clocks = {leaver.clock.id: f"clock:{leaver.clock.interval}" for leaver in left}
    return replace(
        change_set,
        due_now_minor=to_pay_minor,
        lines=(*change_set.lines, *lines),
        calls=(*change_set.calls[:-1], _with_items(change_set.calls[-1], added)),  # what asks for the money comes last
        left=tuple(clocks),
        claims=tuple(dict.fromkeys((*change_set.claims, *clocks.values()))),
    )


def starts_at_once(wish: Wish, before: Phase | None, after: Phase | None) -> bool:
    """Whether a plan goes to another interval now, and all its components with it, larger or smaller."""
    if before is None or after is None or before.rank == 0 or after.rank == 0:
        return False
    if wish.is_switch_due:
        return True
    return (before.interval, after.interval) == ("month", "year") and after.rank >= before.rank


def _line(leaver: Leaving, credit_minor: int) -> PlannedLine:
    name = leaver.before.rate_plan_id.replace("_", " ").capitalize()
    what = f"{name} plan" if leaver.change.kind == "enum" else f"{name} plan: {leaver.change.product.replace('_', ' ')}"
    return PlannedLine(
        ope_id=leaver.change.ope_id,
        description=f"Unused time: {what}",
        price_id=leaver.before.price_id,
        stripe_price_id="",
        quantity=-leaver.before.billed_quantity,
        unit_amount_minor=leaver.before.unit_amount_minor,
        amount_minor=-credit_minor,
    )


def _added(line: PlannedLine, before: Phase) -> dict[str, Any]:
    # A price of its own, once, on the product that is given back.
    product = f"paygo_{before.price_id.rsplit('_', 2)[0]}"
    return {
        "price_data": {"currency": before.currency, "product": product, "unit_amount": line.amount_minor},
        "quantity": 1,
    }


def _with_items(call: StripeCall, added: list[dict[str, Any]]) -> StripeCall:
    already = call.params.get("add_invoice_items", [])
    return replace(call, params={**call.params, "add_invoice_items": [*already, *added]}) if added else call
