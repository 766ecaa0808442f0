"""Test clocks at Stripe: time that is made to pass for one customer, in test mode only."""

import time
from datetime import datetime

from .client import client
from .errors import StripeUnavailable, translated

PATIENCE_SECONDS = 180
NAP_SECONDS = 1.0


def create(at: datetime, *, key: str) -> str:
    """Return the id of a new clock that stands at `at`."""
    with translated():
        return (
            client()
            .v1.test_helpers.test_clocks.create(
                {"frozen_time": int(at.timestamp()), "name": "check_stripe_setup"}, {"idempotency_key": key}
            )
            .id
        )


def advance(clock_id: str, to: datetime, *, key: str) -> None:
    """
    Let the clock's time pass up to `to`, and wait until all that falls due on the way has happened.

    :raises StripeUnavailable: it did not come to rest within PATIENCE_SECONDS.
    """
    with translated():
        client().v1.test_helpers.test_clocks.advance(
            clock_id, {"frozen_time": int(to.timestamp())}, {"idempotency_key": key}
        )
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        with translated():
            if client().v1.test_helpers.test_clocks.retrieve(clock_id).status == "ready":
                return
        time.sleep(NAP_SECONDS)
    raise StripeUnavailable("the test clock does not come to rest")


def delete(clock_id: str) -> None:
    """Delete the clock with its customers and all that is theirs."""
    with translated():
        client().v1.test_helpers.test_clocks.delete(clock_id)
