"""What of a request begins now, and what waits for the end of what was paid. Pure."""

from datetime import datetime

from .change_set import ElementChange
from .directions import Direction
from .prices import is_new_price
from .request import ChangeRequest
from .snapshot import Snapshot
from .switch_interval import starts_at_once
from .targets import Target, targets
from .wish import Wish, consider, with_what_hangs_on_it

Reasoned = tuple[Target, str]  # and why


def split(request: ChangeRequest, snapshot: Snapshot) -> tuple[tuple[ElementChange, ...], tuple[ElementChange, ...]]:
    """
    What changes now, and what at the end of the period, each with why.

    The components of a plan that shrinks go with it; more of one is had now, and billed by the smaller plan then.
    What has no paid period to wait for ends at once.
    """
    now: list[Reasoned] = []
    later: list[Reasoned] = []
    for wish in with_what_hangs_on_it(consider(request, snapshot)):
        if wish.is_scheduled:
            continue
        begins, waits = _split(wish, targets(wish))
        now += begins
        later += waits
    return (
        tuple(target.change(why=why) for target, why in now),
        tuple(target.change(why=why) for target, why in later),
    )


def _split(wish: Wish, wanted: list[Target]) -> tuple[list[Reasoned], list[Reasoned]]:
    """What of one wish begins now, and what waits for the end of what was paid."""
    paid_until = _paid_until(wanted)
    if wish.want.at_current_price:
        dearer = [target for target in wanted if is_new_price(target.before, target.after)]
        return [], [(target.at_period_end(paid_until), "the price changed") for target in dearer if paid_until]
    changed = [(target, target.goes.because, target.goes.direction) for target in wanted]
    changed = [each for each in changed if each[2] is not Direction.SAME]
    if wish.want.licence is not None:
        ends = [target for target, _, _ in changed if wish.want.licence.ends_at and target.after is not None]
        return [each[:2] for each in changed], [(target.at_trial_end(), "the trial ends") for target in ends]
    if wanted and starts_at_once(wish, wanted[0].before, wanted[0].after):
        return [each[:2] for each in changed], []
    now: list[Reasoned] = []
    later: list[Reasoned] = []
    plan_goes = bool(wanted) and _goes(wanted[0])
    for target, because, direction in changed:
        if plan_goes and direction is Direction.GROWING:
            now.append((target.under_current_plan(), because))
        if paid_until and (plan_goes or direction is Direction.SHRINKING):
            later.append((target.at_period_end(paid_until), because))
        else:
            now.append((target, because))
    return now, later


def _goes(tier: Target) -> bool:
    """Whether the plan itself ends or becomes smaller."""
    return tier.goes.direction is Direction.SHRINKING


def _paid_until(wanted: list[Target]) -> datetime | None:
    """Until when the plan is paid for, or what hangs on it where the plan itself costs nothing; None: neither is."""
    ends = [target.before.ends_at for target in wanted if target.before is not None and target.before.ends_at]
    return max(ends, default=None)
