"""What a decline means: the class of each code, advice that makes it stricter, and what the customer is told."""

import pytest

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
