"""When a stored payment method may be removed, and which reason to keep it is told first."""

import pytest

from billing.payments.removal import Needed, why_kept

NOTHING = {
    "is_being_charged": False,
    "is_default": False,
    "other_usable_methods": 0,
    "has_paid_subscription": False,
    "owes": False,
    "waits_for_payment": False,
}

CASES = [
    # what needs it                                                              code
    ({},                                                                         None),
    ({"is_default": True},                                                       None),
    ({"is_default": True, "other_usable_methods": 1},                            "method_is_default"),
    ({"other_usable_methods": 1, "owes": True, "has_paid_subscription": True},   None),
    ({"owes": True},                                                             "method_needed"),
    ({"has_paid_subscription": True},                                            "method_needed"),
    ({"owes": True, "is_being_charged": True},                                   "method_in_use"),
    ({"other_usable_methods": 2, "is_being_charged": True},                      "method_in_use"),
    ({"other_usable_methods": 2, "waits_for_payment": True},                     "method_in_use"),
]  # fmt: skip


@pytest.mark.parametrize(("needs", "code"), CASES)
def test_why_a_method_is_kept(needs, code):
    kept = why_kept(Needed(**(NOTHING | needs)))

    assert (kept.code if kept else None) == code


def test_what_is_owed_is_told_before_what_is_subscribed():
    both = why_kept(Needed(**(NOTHING | {"owes": True, "has_paid_subscription": True})))

    assert "invoice" in both.message
