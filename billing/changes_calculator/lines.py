"""What a change in the middle of a period costs, line by line, as Stripe rounds it. Pure."""

from dataclasses import dataclass
from datetime import datetime

from .items import Item
from .proration import prorate


@dataclass(frozen=True, slots=True)
class Share:
    """How many units more (or fewer, negative) of a price one OPE is billed for."""

    ope_id: str
    delta: int


def net_minor(before: Item | None, after: Item | None, start: datetime, end: datetime, at: datetime) -> int:
    """
    Return what changing one item costs for the rest of the period, in minor units.

    Two lines, each rounded half-up by itself: credit for the unused time of the old quantity, charge for the
    remaining time of the new one.
    """
    credit_minor = prorate(before.unit_amount_minor * before.quantity, start, end, at) if before else 0
    charge_minor = prorate(after.unit_amount_minor * after.quantity, start, end, at) if after else 0
    return charge_minor - credit_minor


def divided(total_minor: int, shares: list[Share]) -> dict[str, int]:
    """
    Return each OPE's part of an amount, in proportion to its units; the parts add up to it exactly.

    Remaining minor units go to the largest remainders, the first of equal ones.
    """
    units = sum(share.delta for share in shares)
    if units == 0:  # as many units go as come: nothing is charged
        return {share.ope_id: 0 for share in shares}
    floors = {share.ope_id: (total_minor * share.delta) // units for share in shares}
    left = total_minor - sum(floors.values())
    by_remainder = sorted(shares, key=lambda share: -((total_minor * share.delta) % abs(units)))
    for share in by_remainder[:left]:
        floors[share.ope_id] += 1
    return floors
