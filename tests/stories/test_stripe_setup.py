"""`check_stripe_setup` finds each setting of Stripe's that would act on a debt beside us."""

import contextlib
import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from billing.payments.setup import CHECKS, Seen, wrong

RETRIES, SUBSCRIPTION, INVOICE = CHECKS
RIGHT = {
    "subscription_status": "past_due",
    "invoice_status": "open",
    "attempts": 1,
    "next_attempt_planned": False,
    "later_subscription_status": "past_due",
    "later_invoice_status": "open",
    "later_attempts": 1,
}

SEEN = [
    # what was seen                                   what is wrong
    ({},                                              ()),
    ({"next_attempt_planned": True},                  (RETRIES,)),
    ({"later_attempts": 2},                           (RETRIES,)),
    ({"subscription_status": "unpaid"},               (SUBSCRIPTION,)),
    ({"later_subscription_status": "canceled"},       (SUBSCRIPTION,)),
    ({"later_subscription_status": "active"},         (SUBSCRIPTION,)),
    ({"later_invoice_status": "uncollectible"},       (INVOICE,)),
    ({"invoice_status": "void"},                      (INVOICE,)),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "found"), SEEN)
def test_what_is_wrong(seen, found):
    assert wrong(Seen(**(RIGHT | seen))) == found


def check(is_right):
    output = StringIO()
    ends = contextlib.nullcontext() if is_right else pytest.raises(CommandError, match="not as they must be")
    with ends:
        call_command("check_stripe_setup", "--json", stdout=output)
    return list(json.loads(output.getvalue())["checks"].values())


@pytest.fixture
def stripes_settings(sandbox):
    """Change the settings; afterwards they are as they should be."""
    yield lambda said: sandbox.call("PUT", "/_sandbox/settings", said)
    sandbox.call(
        "PUT",
        "/_sandbox/settings",
        {"retry_hours": [], "failed_subscription": "past_due", "failed_invoice": "open"},
    )


@pytest.mark.usefixtures("catalog", "story")
@pytest.mark.parametrize(
    ("said", "right"),
    [
        ({}, [True, True, True]),
        ({"retry_hours": [24, 48]}, [False, True, True]),
        ({"retry_hours": [24], "failed_subscription": "canceled"}, [False, False, True]),
        ({"retry_hours": [24], "failed_invoice": "uncollectible"}, [False, False, False]),
    ],
)
def test_the_sandbox_as_it_should_be_and_as_it_should_not(clock, stripes_settings, said, right):
    clock.freeze()
    stripes_settings(said)

    assert check(all(right)) == right


def test_a_live_key_is_refused(settings):
    settings.STRIPE_API_KEY = "sk_live_1"

    with pytest.raises(CommandError, match="no test key"):
        call_command("check_stripe_setup")
