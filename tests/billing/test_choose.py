"""Which method automatic collection charges next: the order, and each reason to pass one over, to the boundary."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.payments.choose import Candidate, LastTry, next_method, why_not

NOW = datetime(2026, 5, 1, 10, tzinfo=UTC)
HOUR, MOMENT = timedelta(hours=1), timedelta(seconds=1)


def method(name="first", **fields):
    usual = {
        "is_usable": True,
        "is_default": False,
        "created_at": NOW - timedelta(days=9),
        "updated_at": None,
        "tries_of_card": 0,
        "last_try": None,
    }
    return Candidate(id=name, **(usual | fields))


def failed(code, ago, advice_code=""):
    return LastTry(NOW - ago, code, advice_code)


REASONS = [
    # fields                                                              why not
    ({},                                                                  ""),
    ({"is_usable": False},                                                "it may not be charged any more"),
    ({"is_disputed": True},                                               "a payment it made is disputed"),
    ({"tries_of_card": 14},                                               ""),
    ({"tries_of_card": 15},                                               "its card was tried too often"),
    ({"last_try": failed("processing_error", HOUR - MOMENT)},             "it was tried a moment ago"),
    ({"last_try": failed("processing_error", HOUR)},                      ""),
    ({"last_try": failed("generic_decline", 12 * HOUR - MOMENT)},         "it was tried a moment ago"),
    ({"last_try": failed("generic_decline", 12 * HOUR)},                  ""),
    ({"last_try": failed("expired_card", 700 * HOUR)},                    "the customer must act first"),
    ({"last_try": failed("expired_card", HOUR), "updated_at": NOW - HOUR}, "the customer must act first"),
    ({"last_try": failed("expired_card", HOUR), "updated_at": NOW - HOUR + MOMENT}, ""),
    ({"last_try": failed("authentication_required", 700 * HOUR)},         "the customer must act first"),
    ({"last_try": failed("processing_error", 700 * HOUR, "confirm_card_data")}, "the customer must act first"),
    ({"last_try": failed("generic_decline", HOUR), "updated_at": NOW},    "it was tried a moment ago"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "because"), REASONS)
def test_why_a_method_is_passed_over(fields, because):
    assert why_not(method(**fields), NOW) == because


ORDERS = [
    # methods, in any order                                                                chosen
    ([],                                                                                   None),
    ([method("old", created_at=NOW - 9 * HOUR), method("new", created_at=NOW - HOUR)],     "old"),
    ([method("old", created_at=NOW - 9 * HOUR), method("primary", is_default=True, created_at=NOW)], "primary"),
    ([method("new", created_at=NOW), method("primary", is_default=True, is_usable=False)], "new"),
    ([method("b"), method("a")],                                                           "a"),
    ([method("only", is_default=True, is_usable=False)],                                   None),
]  # fmt: skip


@pytest.mark.parametrize(("methods", "chosen"), ORDERS)
def test_the_primary_method_first_then_the_others_the_oldest_first(methods, chosen):
    found = next_method(methods, NOW)

    assert (found.id if found else None) == chosen
