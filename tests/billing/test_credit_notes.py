"""What a credit note comes to: tables, with rows either side of each boundary."""

from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.invoicing.credit_notes import LineToCredit, spread, tax_part_minor, unused, unused_credit_minor

START, END = date(2026, 1, 1), date(2026, 2, 1)  # 31 days


@dataclass(frozen=True, slots=True)
class Line:
    amount_minor: int
    in_advance: bool = True
    period_start: date | None = None
    period_end: date | None = None


USAGE = Line(547, in_advance=False)

UNUSED = [
    # lines                                              decided on           credit   why
    ((Line(200_00),),                                    date(2026, 1, 6),    167_74,  "5 of 31 days used"),
    ((Line(20_00), USAGE),                               date(2026, 1, 23),   5_81,    "9 of 31 days unused"),
    ((USAGE,),                                           date(2026, 1, 6),    0,       "usage stays owed"),
    ((Line(200_00),),                                    date(2026, 1, 1),    200_00,  "nothing used"),
    ((Line(200_00),),                                    date(2025, 12, 31),  200_00,  "not before it began"),
    ((Line(200_00),),                                    date(2026, 1, 2),    193_55,  "a day used"),
    ((Line(200_00),),                                    date(2026, 1, 31),   6_45,    "the last day unused"),
    ((Line(200_00),),                                    date(2026, 2, 1),    0,       "all used"),
    ((Line(200_00),),                                    date(2026, 3, 1),    0,       "not after its end"),
    ((Line(200_00), Line(-31_00)),                       date(2026, 1, 6),    141_74,  "a line below zero counts"),
    ((Line(10_00), Line(-31_00)),                        date(2026, 1, 6),    0,       "not below zero"),
    ((Line(31_00, True, date(2026, 1, 17), END),),       date(2026, 1, 17),   31_00,   "its own period: nothing used"),
    ((Line(30_00, True, date(2026, 1, 17), END),),       date(2026, 1, 18),   28_00,   "its own period: 14 of 15 left"),
    ((Line(1, True), Line(1, True)),                     date(2026, 1, 16),   2,       "16 of 31 of a cent, each rounded"),
    ((Line(1, True),),                                   date(2026, 1, 17),   0,       "15 of 31 of a cent"),
    ((Line(365_00, True, START, date(2027, 1, 1)),),     date(2026, 7, 1),    184_00,  "a year: 184 of 365 days left"),
    ((Line(5_00, True, START, START),),                  date(2026, 1, 1),    0,       "no days, nothing unused"),
    ((),                                                 date(2026, 1, 6),    0,       "no lines"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "decided_on", "credit_minor", "why"), UNUSED)
def test_what_is_unused_is_not_owed(lines, decided_on, credit_minor, why):
    assert unused_credit_minor(lines, START, END, decided_on) == credit_minor, why


def test_the_debt_is_what_remains():
    lines = (Line(20_00), USAGE)

    assert 25_47 - unused_credit_minor(lines, START, END, date(2026, 1, 23)) == 19_66
    assert 200_00 - unused_credit_minor((Line(200_00),), START, END, date(2026, 1, 6)) == 32_26


def line(number, amount_minor, left_minor=None):
    left = amount_minor if left_minor is None else left_minor
    return LineToCredit(number, amount_minor, left, True, START, END)


CAPPED = [
    # lines                                   tax     per line                      tax on the note
    ((line(1, 200_00),),                      0,      ((1, 167_74),),               0),
    ((line(1, 200_00, 100_00),),              0,      ((1, 100_00),),               0),
    ((line(1, 200_00, 0),),                   0,      (),                           0),
    ((line(1, 200_00),),                      38_00,  ((1, 167_74),),               31_87),
    ((line(1, 200_00), line(2, -31_00)),      0,      ((1, 167_74), (2, -26_00)),   0),
    ((line(1, 10_00), line(2, -31_00)),       0,      (),                           0),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "tax_minor", "parts", "tax_on_note"), CAPPED)
def test_no_line_is_credited_beyond_what_is_left_of_it(lines, tax_minor, parts, tax_on_note):
    division = unused(lines, START, END, date(2026, 1, 6), tax_minor=tax_minor)

    assert (division.lines, division.tax_minor) == (parts, tax_on_note)


SPREAD = [
    # amount   lines                                        tax    per line                    tax on the note
    (10_00,    (line(1, 20_00),),                           0,     ((1, 10_00),),              0),
    (10_00,    (line(1, 20_00), line(2, 10_00)),            0,     ((1, 6_67), (2, 3_33)),     0),
    (30_00,    (line(1, 20_00), line(2, 10_00)),            0,     ((1, 20_00), (2, 10_00)),   0),
    (10_00,    (line(1, 20_00, 5_00), line(2, 10_00)),      0,     ((1, 3_33), (2, 6_67)),     0),
    (1,        (line(1, 20_00), line(2, 20_00)),            0,     ((1, 1),),                  0),
    (11_90,    (line(1, 20_00),),                           3_80,  ((1, 10_00),),              1_90),
    (1,        (line(1, 20_00),),                           3_80,  ((1, 1),),                  0),
    (10_00,    (line(1, 20_00), line(2, -5_00)),            0,     ((1, 10_00),),              0),
]  # fmt: skip


@pytest.mark.parametrize(("amount_minor", "lines", "tax_minor", "parts", "tax_on_note"), SPREAD)
def test_an_amount_is_spread_over_what_lines_have_left(amount_minor, lines, tax_minor, parts, tax_on_note):
    division = spread(amount_minor, lines, tax_minor=tax_minor)

    assert (division.lines, division.tax_minor) == (parts, tax_on_note)


def test_more_than_the_lines_have_left_is_refused():
    with pytest.raises(ValueError, match="more than"):
        spread(20_01, (line(1, 20_00),), tax_minor=0)


@given(st.lists(st.integers(1, 500_00), min_size=1, max_size=8), st.integers(0, 100_00), st.fractions(0, 1), st.data())
def test_what_is_spread_adds_up_and_fits(amounts, tax_minor, part, data):
    left = [data.draw(st.integers(0, amount)) for amount in amounts]
    lines = [line(number, amount, rest) for number, (amount, rest) in enumerate(zip(amounts, left, strict=True))]
    amount_minor = int(sum(left) * part)

    division = spread(amount_minor, lines, tax_minor=tax_minor)

    assert division.total_minor == amount_minor
    assert all(0 < given <= left[number] for number, given in division.lines)
    assert 0 <= division.tax_minor <= tax_minor


def test_tax_is_rounded_half_up_apart():
    assert tax_part_minor(1, of_minor=1, whole_minor=2) == 1
    assert tax_part_minor(1, of_minor=49, whole_minor=100) == 0
    assert tax_part_minor(5, of_minor=0, whole_minor=0) == 0
