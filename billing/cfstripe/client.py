"""The only door to Stripe: one client, with our limits, that refuses to be called inside a transaction."""

from functools import cache

import stripe
from django.conf import settings
from django.db import connection

API_VERSION = "2026-10-28.endive"
TIMEOUT_SECONDS = 20
RETRIES = 2


class NetworkInTransaction(RuntimeError):
    """A processor was about to be called while a transaction was open: locks would wait for the network."""


def client() -> stripe.StripeClient:
    """
    Return the client of this process.

    :raises NetworkInTransaction: in production too, because it is a bug wherever it happens.
    """
    if any(not block._from_testcase for block in connection.atomic_blocks):  # type: ignore[attr-defined]
        raise NetworkInTransaction
    return _client()


@cache
def _client() -> stripe.StripeClient:
    return stripe.StripeClient(
        settings.STRIPE_API_KEY,
        stripe_version=API_VERSION,
        base_addresses={"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else None,
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )
