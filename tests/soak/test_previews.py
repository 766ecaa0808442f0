"""What a preview says, against the invoice that Stripe then makes, in numbers."""

import os

import pytest

from tests.billing.test_preview import random_growth

pytestmark = pytest.mark.usefixtures("story", "catalog")

ROUNDS = int(os.environ.get("ROUNDS", "300"))
FIRST_SEED = 1000


def test_the_preview_of_random_changes_is_what_is_then_paid(clock, report):
    compared = sum(random_growth(clock, seed) for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS))

    report(
        f"{ROUNDS} accounts, seeds {FIRST_SEED} to {FIRST_SEED + ROUNDS - 1}, each at other dates: {compared} changes "
        "cost what their preview had said, to the cent, in all and in every line."
    )
