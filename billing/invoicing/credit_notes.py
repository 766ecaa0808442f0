"""What a credit note comes to: unused time that was billed in advance is not owed. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Protocol

from ..changes_calculator.proration import round_half_up


class Billed(Protocol):
    """A line of an invoice; its period is half-open, by calendar day in UTC. None: the invoice's own."""

    @property
    def amount_minor(self) -> int: ...
    @property
    def in_advance(self) -> bool: ...
    @property
    def period_start(self) -> date | None: ...
    @property
    def period_end(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class LineToCredit:
    """A line as a decision sees it: what was billed, what earlier notes left of it, and for when."""

    id: int
    amount_minor: int
    left_minor: int
    in_advance: bool
    period_start: date | None
    period_end: date | None


@dataclass(frozen=True, slots=True)
class Division:
    """What is taken off each line (id, minor units before tax, of the line's sign), and the tax on all of it."""

    lines: tuple[tuple[int, int], ...]
    tax_minor: int

    @property
    def subtotal_minor(self) -> int:
        return sum(amount_minor for _, amount_minor in self.lines)

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor + self.tax_minor


@dataclass(frozen=True, slots=True)
class Destination:
    """Where what a credit note takes off goes, in minor units: off the debt, back to the method, or to credit."""

    off_debt_minor: int = 0
    to_method_minor: int = 0
    to_credit_minor: int = 0


def unused_credit_minor(lines: Iterable[Billed], period_start: date, period_end: date, decided_on: date) -> int:
    """
    Return what of an invoice was billed for days that will not be used, in minor units, before tax.

    Of each line billed in advance: its amount × unused days / days of its own period, rounded half-up by itself. Lines
    below zero count with their sign; the sum is not below 0. Usage stays owed in full. `decided_on` is the first day
    that is not used.
    """
    return max(0, sum(_unused_minor(line, period_start, period_end, decided_on) for line in lines))


def unused(
    lines: Sequence[LineToCredit], period_start: date, period_end: date, decided_on: date, *, tax_minor: int
) -> Division:
    """
    Return that credit line by line, each capped by what is left of it, with its part of the tax.

    `tax_minor` is the whole invoice's. Nothing is credited where the sum would be below 0.
    """
    parts = tuple(
        (line.id, _capped(_unused_minor(line, period_start, period_end, decided_on), line.left_minor)) for line in lines
    )
    return _with_tax(parts, lines, tax_minor)


def spread(amount_minor: int, lines: Sequence[LineToCredit], *, tax_minor: int) -> Division:
    """
    Return how an amount, tax included, is divided among the lines that have something left, in proportion to that.

    Minor units that remain go to the largest remainders, the first of equal ones.

    :raises ValueError: the lines have less left than that.
    """
    subtotal = sum(line.amount_minor for line in lines)
    left = {line.id: line.left_minor for line in lines if line.left_minor > 0}
    net_minor = amount_minor - tax_part_minor(tax_minor, of_minor=amount_minor, whole_minor=subtotal + tax_minor)
    whole = sum(left.values())
    if net_minor > whole:
        raise ValueError(f"{net_minor} is more than the {whole} that its lines have left")
    if not net_minor:
        return Division((), amount_minor)
    parts = {line_id: net_minor * part // whole for line_id, part in left.items()}
    by_remainder = sorted(left, key=lambda line_id: -(net_minor * left[line_id] % whole))
    for line_id in by_remainder[: net_minor - sum(parts.values())]:
        parts[line_id] += 1
    given = tuple((line_id, part) for line_id, part in parts.items() if part)
    return Division(given, amount_minor - net_minor)


def tax_part_minor(tax_minor: int, *, of_minor: int, whole_minor: int) -> int:
    """Return the tax in a part of an amount that bears `tax_minor` in all: rounded half-up, apart from the part."""
    return round_half_up(Fraction(tax_minor * of_minor, whole_minor)) if whole_minor > 0 else 0


def _with_tax(parts: tuple[tuple[int, int], ...], lines: Sequence[LineToCredit], tax_minor: int) -> Division:
    subtotal_minor = sum(part for _, part in parts)
    if subtotal_minor <= 0:
        return Division((), 0)
    whole_minor = sum(line.amount_minor for line in lines)
    tax = tax_part_minor(tax_minor, of_minor=subtotal_minor, whole_minor=whole_minor)
    return Division(tuple((line_id, part) for line_id, part in parts if part), tax)


def _unused_minor(line: Billed, period_start: date, period_end: date, decided_on: date) -> int:
    if not line.in_advance:
        return 0
    start = line.period_start if line.period_start is not None else period_start
    end = line.period_end if line.period_end is not None else period_end
    days = (end - start).days
    if days <= 0:
        return 0
    unused_days = min(max((end - decided_on).days, 0), days)
    return round_half_up(Fraction(line.amount_minor * unused_days, days))


def _capped(part_minor: int, left_minor: int) -> int:
    """A part of a line, of its sign, no more than what is left of it."""
    return min(part_minor, max(left_minor, 0)) if part_minor > 0 else max(part_minor, min(left_minor, 0))
