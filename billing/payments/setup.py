"""How Stripe's own settings must be, read off what it did with a renewal that could not be paid. Pure."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """A renewal with a declining card: right after its first attempt, and four weeks later."""

    subscription_status: str
    invoice_status: str
    attempts: int
    next_attempt_planned: bool
    later_subscription_status: str
    later_invoice_status: str
    later_attempts: int


@dataclass(frozen=True, slots=True)
class Check:
    """One setting of Stripe's: where it is, what it must be, and how to see that it is so."""

    setting: str
    must_be: str
    holds: Callable[[Seen], bool]


CHECKS: tuple[Check, ...] = (
    Check(
        "Billing → Revenue recovery → Retries",
        "off: PayGO alone decides when a card is charged again",
        lambda seen: not seen.next_attempt_planned and seen.attempts == seen.later_attempts == 1,
    ),
    Check(
        "Billing → Revenue recovery → If all retries for a payment fail: subscription",
        "leave the subscription past-due: PayGO ends what is not paid for",
        lambda seen: (seen.subscription_status, seen.later_subscription_status) == ("past_due", "past_due"),
    ),
    Check(
        "Billing → Revenue recovery → If all retries for a payment fail: invoice",
        "leave the invoice open: an invoice becomes uncollectible by PayGO's decision, with its credit note",
        lambda seen: (seen.invoice_status, seen.later_invoice_status) == ("open", "open"),
    ),
)

# What no answer of Stripe's API shows: to be looked at by hand.
BY_HAND: tuple[tuple[str, str], ...] = (
    ("Billing → Revenue recovery → Emails", "all off: PayGO tells customers itself"),
    ("Settings → Customer emails → Successful payments, Refunds", "off: PayGO sends receipts itself"),
    ("Billing → Invoices → Email finalized invoices to customers", "off"),
)


def wrong(seen: Seen) -> tuple[Check, ...]:
    """Return the checks that do not hold."""
    return tuple(check for check in CHECKS if not check.holds(seen))
