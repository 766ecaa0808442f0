"""Does Stripe's renewal bill what we would have billed? Pure; to the cent and to the second."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..cfstripe.shapes import InvoiceFacts, LineFacts

# Stripe carries what is below its minimum charge to the next invoice: that much of a balance is explained.
CARRIED_BELOW_MINOR = 50


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """What one price comes to on our own bill, for all that is sold at it."""

    stripe_price_id: str
    quantity: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same; `ours` and `theirs` are what stands there on either side."""

    code: str
    what: str
    ours: str
    theirs: str


def by_price(lines: Iterable[tuple[str, int, int]]) -> list[ExpectedLine]:
    """Return lines (price, quantity, amount) added up by price; those that bill nothing are left out."""
    sums: dict[str, tuple[int, int]] = {}
    for price, quantity, minor in lines:
        known_quantity, known_minor = sums.get(price, (0, 0))
        sums[price] = (known_quantity + quantity, known_minor + minor)
    return [ExpectedLine(price, *amounts) for price, amounts in sorted(sums.items()) if price and amounts != (0, 0)]


def differences(
    expected: Sequence[ExpectedLine],
    period: tuple[datetime, datetime],
    actual: InvoiceFacts,
    *,
    credit_minor: int = 0,
) -> tuple[Difference, ...]:
    """
    Return everything in which Stripe's invoice differs from the bill we would have made, lines first.

    `credit_minor` is the customer's credit that our books spent on it, which takes as much off. Whatever else was put
    on the invoice beside the renewal itself (a correction) is a difference, unless it adds up to nothing.
    """
    renewal = [line for line in actual.lines if line.price_id and line.item_id and not line.is_proration]
    theirs = {line.stripe_price_id: line for line in by_price(_amounts(renewal))}
    ours = {line.stripe_price_id: line for line in expected}
    found: list[Difference] = []
    for price in sorted(ours.keys() | theirs.keys()):
        found += _of_price(price, ours.get(price), theirs.get(price))
    beside_minor = sum(line.amount_minor for line in actual.lines if line not in renewal)
    if beside_minor != -credit_minor:
        found.append(Difference("beside", "lines that are no renewal", str(-credit_minor), str(beside_minor)))
    periods = {(line.period_start, line.period_end) for line in renewal}
    if renewal and periods != {period}:
        found.append(Difference("period", "the period", _period(period), ", ".join(map(_period, sorted(periods)))))
    due_minor = sum(line.amount_minor for line in expected)
    if actual.subtotal_minor != due_minor + beside_minor and not found:
        found.append(Difference("total", "the total", str(due_minor), str(actual.subtotal_minor)))
    if abs(actual.carried_minor) >= CARRIED_BELOW_MINOR:
        found.append(Difference("balance", "what a customer balance pays", "0", str(actual.carried_minor)))
    return tuple(found)


def _amounts(lines: Iterable[LineFacts]) -> list[tuple[str, int, int]]:
    return [(line.price_id, line.quantity, line.amount_minor) for line in lines]


def _of_price(price: str, ours: ExpectedLine | None, theirs: ExpectedLine | None) -> list[Difference]:
    if ours is None or theirs is None:
        code = "line_extra" if ours is None else "line_missing"
        return [Difference(code, price, _line(ours), _line(theirs))]
    found = []
    if ours.quantity != theirs.quantity:
        found.append(Difference("quantity", price, str(ours.quantity), str(theirs.quantity)))
    if ours.amount_minor != theirs.amount_minor:
        found.append(Difference("amount", price, str(ours.amount_minor), str(theirs.amount_minor)))
    return found


def _line(line: ExpectedLine | None) -> str:
    return f"{line.quantity} for {line.amount_minor}" if line else "nothing"


def _period(period: tuple[datetime, datetime]) -> str:
    return f"{period[0]:%Y-%m-%d %H:%M:%S} to {period[1]:%Y-%m-%d %H:%M:%S}"
