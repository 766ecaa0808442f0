"""The only door to Stripe: one client, with our limits, that refuses to be called inside a transaction."""

from functools import cache

import stripe
from django.conf import settings

from ..network import NetworkInTransaction, refuse_in_transaction

__all__ = ["NetworkInTransaction", "client"]

from .counted import CountingClient

API_VERSION = "2026-10-28.endive"
TIMEOUT_SECONDS = 20
RETRIES = 2


def client() -> stripe.StripeClient:
    """
    Return the client of this process.

    :raises NetworkInTransaction: in production too, because it is a bug wherever it happens.
    """
    refuse_in_transaction()
    return _client()


@cache
def _client() -> stripe.StripeClient:
    return stripe.StripeClient(
        settings.STRIPE_API_KEY,
        stripe_version=API_VERSION,
        base_addresses={"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else None,
        max_network_retries=RETRIES,
        http_client=CountingClient(timeout=TIMEOUT_SECONDS),
    )
