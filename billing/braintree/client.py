"""The only door to Braintree."""

from functools import cache

import braintree
from django.conf import settings


@cache
def gateway() -> braintree.BraintreeGateway:
    """Return the gateway of this process."""
    return braintree.BraintreeGateway(
        braintree.Configuration(
            environment=getattr(braintree.Environment, settings.BRAINTREE_ENVIRONMENT.title()),
            merchant_id=settings.BRAINTREE_MERCHANT_ID,
            public_key=settings.BRAINTREE_PUBLIC_KEY,
            private_key=settings.BRAINTREE_PRIVATE_KEY,
        )
    )
