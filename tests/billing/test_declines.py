"""What a decline means: the class of each code, advice that makes it stricter, and what the customer is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billing.payments.choose import Candidate, LastTry, why_not
from billing.payments.declines import ADVICE, DECLINES, NEXT, DeclineClass, classify, told
from sandbox.stripe.cards import DECLINES as SANDBOX_DECLINES

SOON, SCHEDULE = DeclineClass.RETRY_SOON, DeclineClass.RETRY_ON_SCHEDULE
ACT, NEVER = DeclineClass.CUSTOMER_MUST_ACT, DeclineClass.NEVER_AGAIN

CLASSES = [
    # code                       advice                class
    ("processing_error",         None,                 SOON),
    ("processing_error",         "",                   SOON),
    ("processing_error",         "try_again_later",    SOON),
    ("issuer_not_available",     "confirm_card_data",  ACT),
    ("issuer_not_available",     "do_not_try_again",   NEVER),
    ("insufficient_funds",       None,                 SCHEDULE),
    ("insufficient_funds",       "try_again_later",    SCHEDULE),
    ("insufficient_funds",       "do_not_try_again",   NEVER),
    ("generic_decline",          "try_again_later",    SCHEDULE),
    ("generic_decline",          "confirm_card_data",  ACT),
    ("generic_decline",          "do_not_try_again",   NEVER),
    ("do_not_honor",             None,                 SCHEDULE),
    ("expired_card",             None,                 ACT),
    ("expired_card",             "try_again_later",    ACT),
    ("expired_card",             "do_not_try_again",   NEVER),
    ("incorrect_cvc",            "confirm_card_data",  ACT),
    ("authentication_required",  None,                 ACT),
    ("lost_card",                None,                 NEVER),
    ("lost_card",                "try_again_later",    NEVER),
    ("stolen_card",              "confirm_card_data",  NEVER),
    ("fraudulent",               None,                 NEVER),
    ("pickup_card",              None,                 NEVER),
    ("a_code_of_next_year",      None,                 SCHEDULE),
    ("a_code_of_next_year",      "do_not_try_again",   NEVER),
    ("generic_decline",          "advice_of_next_year", SCHEDULE),
    ("",                         None,                 SCHEDULE),
]  # fmt: skip


@pytest.mark.parametrize(("code", "advice_code", "decline_class"), CLASSES)
def test_the_stricter_of_code_and_advice_counts(code, advice_code, decline_class):
    assert classify(code, advice_code) is decline_class


def test_advice_never_makes_any_decline_milder():
    strictness = list(DeclineClass)

    for code in DECLINES:
        for advice_code in ADVICE:
            assert strictness.index(classify(code, advice_code)) >= strictness.index(classify(code, None))


def test_what_happens_next_is_said_of_each_class():
    assert set(NEXT) == set(DeclineClass)
    assert [kind for kind in DeclineClass if NEXT[kind].stops_method] == [NEVER]
    assert [kind for kind in DeclineClass if NEXT[kind].retry_after is None] == [ACT, NEVER]
    assert NEXT[SOON].retry_after < NEXT[SCHEDULE].retry_after


def test_every_decline_of_the_sandbox_is_known():
    codes = {decline.decline_code or decline.code for decline in SANDBOX_DECLINES.values()}

    assert codes - set(DECLINES) == set()


def test_of_a_card_that_may_be_in_the_wrong_hands_no_more_is_told_than_that_it_was_declined():
    generic = told("generic_decline")

    assert {told(code) for code in ("lost_card", "stolen_card", "fraudulent", "pickup_card", "merchant_blacklist")} == {
        generic
    }
    assert all(row.told.endswith(".") and len(row.told) < 160 for row in DECLINES.values())
    assert told("expired_card") != generic
    assert list(DECLINES) == sorted(DECLINES)


@pytest.mark.parametrize("code", sorted(DECLINES))
def test_after_each_decline_a_method_is_charged_again_when_its_class_says_and_never_before(code):
    at = datetime(2026, 1, 1, tzinfo=UTC)
    decline_class = DECLINES[code].decline_class
    wait = NEXT[decline_class].retry_after
    tried = Candidate(
        id="m", is_usable=not NEXT[decline_class].stops_method, is_default=True, created_at=at, updated_at=None,
        tries_of_card=1, last_try=LastTry(at, code, ""),
    )  # fmt: skip
    mended = replace(tried, updated_at=at + timedelta(seconds=1))

    again = {days for days in (0, 0.04, 0.05, 0.49, 0.5, 30, 365) if not why_not(tried, at + timedelta(days=days))}

    waits = {DeclineClass.RETRY_SOON: 0.05, DeclineClass.RETRY_ON_SCHEDULE: 0.5}
    assert again == {days for days in (0.05, 0.5, 0.49, 30, 365) if days >= waits.get(decline_class, 9999)}
    assert (wait is None) == (decline_class in {DeclineClass.CUSTOMER_MUST_ACT, DeclineClass.NEVER_AGAIN})
    if decline_class is DeclineClass.NEVER_AGAIN:
        assert why_not(mended, at + timedelta(days=365)), "new details do not make it chargeable"
    elif decline_class is DeclineClass.CUSTOMER_MUST_ACT:
        assert not why_not(mended, at + timedelta(seconds=2))
    assert told(code).count(".") >= 2, "what is the matter, and what to do"
