"""Stripe's errors in the words of the domain."""

from collections.abc import Iterator
from contextlib import contextmanager

import stripe

ACTION_CODES = frozenset(
    {
        "authentication_required",
        "invoice_payment_intent_requires_action",
        "subscription_payment_intent_requires_action",
    }
)


class StripeDeclined(Exception):
    """A charge was refused by the bank or by Stripe; `code` is the decline code, or the error's code."""

    def __init__(self, *, code: str, advice_code: str) -> None:
        super().__init__(code)
        self.code = code
        self.advice_code = advice_code


class StripeActionRequired(Exception):
    """The bank wants the customer to confirm the payment."""


class StripeUnavailable(Exception):
    """No answer, or one that says nothing about what was done: ask again with the same key."""


class StripeRefused(Exception):
    """The request itself was wrong; repeating it changes nothing. `code` is Stripe's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def translated() -> Iterator[None]:
    """
    Raise what Stripe's SDK raises as one of the four above.

    A conflict over an idempotency key means that the same call is under way elsewhere: the outcome is unknown yet.
    """
    try:
        yield
    except stripe.CardError as error:
        if error.code in ACTION_CODES:
            raise StripeActionRequired from error
        details = error.error
        decline_code = getattr(details, "decline_code", None) if details else None
        advice_code = getattr(details, "advice_code", None) if details else None
        raise StripeDeclined(
            code=decline_code or error.code or "card_declined", advice_code=advice_code or ""
        ) from error
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise StripeUnavailable(type(error).__name__) from error
    except stripe.InvalidRequestError as error:
        if error.http_status == 409:
            raise StripeUnavailable("conflict") from error
        raise StripeRefused(error.code or "invalid_request") from error
    except stripe.StripeError as error:
        if error.http_status is None or error.http_status >= 409:
            raise StripeUnavailable(type(error).__name__) from error
        raise StripeRefused(error.code or type(error).__name__) from error
