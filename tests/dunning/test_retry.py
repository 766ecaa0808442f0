"""When an invoice is charged again, and when nothing more is tried."""

from dataclasses import replace

import pytest

from dunning.facts import Failure, Outage
from dunning.policy import POLICY
from dunning.retry import after, rounds, standing_of
from tests.dunning.cases import ACT, CARD, DEAD, NEVER, SCHEDULE, SOON, account, at, failed, invoice

PAY_GO, ACADEMIC = POLICY.cells["pay_go"], POLICY.cells["academic"]
DAYS = (0, 24, 48, 72, 96, 120)
SOON_AT_24 = (*failed(0), Failure(at(24), SOON))

# failures, hours now, next charge at hours, scheduled failures, is over
SCHEDULES = [
    ((),                                                   0,     0,    0, False),
    (failed(0),                                            1,    24,    1, False),
    (failed(0, 24),                                       25,    48,    2, False),
    (failed(*DAYS[:5]),                                  119,   120,    5, False),
    (failed(*DAYS),                                      120,  None,    6, True),
    (failed(0, 80),                                       81,    92,    2, False),  # late: not two charges at once
    (failed(0, 36),                                       37,    48,    2, False),  # late: the schedule is caught up with
    (failed(0, 24, last=SOON),                            24,    25,    2, False),
    ((*SOON_AT_24, Failure(at(25), SOON)),                25,    26,    2, False),
    ((*SOON_AT_24, Failure(at(25), SOON), Failure(at(26), SOON)), 26, 48, 2, False),
    ((*SOON_AT_24, Failure(at(25), SCHEDULE)),            25,    48,    2, False),
    ((*failed(*DAYS[:5]), Failure(at(120), SOON)),       120,   121,    6, False),  # its quick repeats come first
    (failed(0, last=ACT),                                  1,  None,    1, False),
    (failed(0, last=ACT),                                125,  None,    1, False),
    (failed(0, last=ACT),                                126,  None,    1, True),
    (failed(0, 24, last=NEVER),                           25,  None,    2, False),
    (failed(*DAYS, last=NEVER),                          120,  None,    6, True),
]  # fmt: skip


@pytest.mark.parametrize(("failures", "now", "next_hours", "counted", "is_over"), SCHEDULES)
def test_the_schedule_of_pay_as_you_go(failures, now, next_hours, counted, is_over):
    owing = invoice(failures=failures)

    standing = standing_of(owing, account(owing, hours=now), PAY_GO)

    assert standing.next_at == (None if next_hours is None else at(next_hours))
    assert (standing.scheduled_failures, standing.is_over) == (counted, is_over)


@pytest.mark.parametrize("last", [SCHEDULE, ACT, NEVER])
def test_the_round_that_stripe_began_goes_on_at_once_with_the_methods_it_did_not_try(last):
    owing = invoice(failures=failed(2, last=last), has_untried=True)

    standing = standing_of(owing, account(owing, hours=3), PAY_GO)

    assert (standing.next_at, standing.waits_for_customer) == (at(2), False)


# the method's age in hours, failures, waits for the customer, next charge at hours
METHODS = [
    (-2400, failed(0, last=ACT),          True,  None),
    (0,     failed(0, last=ACT),          True,  None),  # not newer than the charge that failed
    (5,     failed(0, last=ACT),          False, 5),
    (5,     failed(0, last=NEVER),        False, 5),
    (130,   failed(*DAYS, last=NEVER),    False, 130),   # new after the schedule: tried once more
    (5,     failed(0),                    False, 24),    # a soft decline keeps its schedule
]  # fmt: skip


@pytest.mark.parametrize(("hours", "failures", "waits", "next_hours"), METHODS)
def test_what_only_the_customer_can_mend_waits_for_a_method_that_is_new(hours, failures, waits, next_hours):
    owing = invoice(failures=failures)
    facts = account(owing, hours=131, methods=(replace(CARD, usable_since=at(hours)),))

    standing = standing_of(owing, facts, PAY_GO)

    assert standing.waits_for_customer is waits
    assert standing.next_at == (None if next_hours is None else at(next_hours))


@pytest.mark.parametrize("methods", [(), (DEAD,)])
def test_without_a_method_there_is_nothing_to_charge_and_the_grace_period_runs(methods):
    owing = invoice()

    before, after_grace = (
        standing_of(owing, account(owing, hours=hours, methods=methods), PAY_GO) for hours in (125, 126)
    )

    assert (before.next_at, before.waits_for_customer, before.is_over) == (None, True, False)
    assert after_grace.is_over


@pytest.mark.parametrize(("hours", "is_over"), [(720 - 1, False), (720, True)])
def test_a_type_with_longer_grace_waits_all_of_it_though_no_charge_is_left(hours, is_over):
    owing = invoice(failures=failed(*DAYS))

    assert standing_of(owing, account(owing, hours=hours), ACADEMIC).is_over is is_over


# failures, as (hours, class); as rounds
ROUNDS = [
    ([],                                              []),
    ([(0, SCHEDULE)],                                 [(0, SCHEDULE)]),
    ([(0, NEVER), (0.01, SCHEDULE), (0.02, ACT)],     [(0, SCHEDULE)]),
    ([(0.02, ACT), (0, NEVER)],                       [(0, ACT)]),
    ([(0, SOON), (0.99, SCHEDULE), (1, SCHEDULE)],    [(0, SOON), (1, SCHEDULE)]),
]  # fmt: skip


@pytest.mark.parametrize(("failures", "expected"), ROUNDS)
def test_methods_that_are_tried_one_after_the_other_count_as_one(failures, expected):
    made = [Failure(at(hours), decline_class) for hours, decline_class in failures]

    assert rounds(made) == tuple(Failure(at(hours), decline_class) for hours, decline_class in expected)


# outages (from, until), hours to pass, hours on the clock
OUTAGES = [
    ((),                        24,  24),
    (((30, 40),),               24,  24),
    (((24, 40),),               24,  24),
    (((23, 40),),               24,  41),
    (((-10, -5),),              24,  24),
    (((-10, 2),),               24,  26),
    (((2, 3), (5, 8)),          24,  28),
    (((2, 6), (4, 8)),          24,  30),
    (((30, None),),             24,  24),
    (((10, None),),             24,  None),
]  # fmt: skip


@pytest.mark.parametrize(("outages", "hours", "expected"), OUTAGES)
def test_time_in_which_nobody_could_be_charged_ages_nobody(outages, hours, expected):
    frozen = [Outage(at(begin), None if end is None else at(end)) for begin, end in outages]

    assert after(at(0), hours, frozen) == (None if expected is None else at(expected))


def test_an_outage_that_lasts_gives_nobody_up():
    owing = invoice()
    facts = account(owing, hours=500, methods=(), outages=(Outage(at(100), None),))

    assert not standing_of(owing, facts, PAY_GO).is_over
