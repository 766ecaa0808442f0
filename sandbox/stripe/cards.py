"""The table of test cards: every number the sandbox knows and how the bank behind it answers."""

from dataclasses import dataclass
from enum import Enum

from .errors import Object


@dataclass(frozen=True, slots=True)
class Decline:
    """A bank's no: Stripe's code, the decline code beneath it, and what the network advises to do."""

    code: str
    decline_code: str | None
    message: str
    advice_code: str | None = None

    def as_error(self) -> Object:
        said = {
            "code": self.code,
            "decline_code": self.decline_code,
            "message": self.message,
            "advice_code": self.advice_code,
        }
        return {name: value for name, value in said.items() if value is not None}


class Authentication(Enum):
    """When the bank wants to see the customer (3D Secure)."""

    NEVER = "never"
    UNLESS_SET_UP = "unless set up for later payments"
    ALWAYS = "always"


DECLINED = "Your card was declined."
AGAIN = "try_again_later"
NEVER_AGAIN = "do_not_try_again"
CHECK_DATA = "confirm_card_data"

# Every decline by its decline code, or by its code where it has none. A control call may make any a card's fate.
DECLINES = {
    "authentication_required": Decline("authentication_required", "authentication_required",
        "Your card was declined. This transaction requires authentication."),
    "card_velocity_exceeded": Decline("card_declined", "card_velocity_exceeded",
        "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.", AGAIN),
    "do_not_honor": Decline("card_declined", "do_not_honor", DECLINED, AGAIN),
    "expired_card": Decline("expired_card", "expired_card", "Your card has expired.", CHECK_DATA),
    "fraudulent": Decline("card_declined", "fraudulent", DECLINED, NEVER_AGAIN),
    "generic_decline": Decline("card_declined", "generic_decline", DECLINED, AGAIN),
    "incorrect_cvc": Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", CHECK_DATA),
    "incorrect_number": Decline("incorrect_number", None, "Your card number is incorrect.", CHECK_DATA),
    "insufficient_funds": Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.", AGAIN),
    "lost_card": Decline("card_declined", "lost_card", DECLINED, NEVER_AGAIN),
    "mandate_revoked": Decline("card_declined", "revocation_of_authorization", DECLINED, NEVER_AGAIN),
    "pickup_card": Decline("card_declined", "pickup_card", DECLINED, NEVER_AGAIN),
    "processing_error": Decline("processing_error", "processing_error",
        "An error occurred while processing your card. Try again in a little bit.", AGAIN),
    "stolen_card": Decline("card_declined", "stolen_card", DECLINED, NEVER_AGAIN),
    "test_mode_live_card": Decline("card_declined", "test_mode_live_card",
        "Your card was declined. Your request was in test mode, but used a non test (live) card. "
        "For a list of valid test cards, visit: https://stripe.com/docs/testing."),
    "transaction_not_allowed": Decline("card_declined", "transaction_not_allowed", DECLINED, NEVER_AGAIN),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TestCard:
    """
    One test card. `on_attach` and `on_charge` name the decline that answers saving and charging it.

    `dispute` is the reason with which each charge is disputed at once; `refund` is how a refund ends.
    """

    number: str
    alias: str
    meaning: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    on_attach: str | None = None
    on_charge: str | None = None
    authentication: Authentication = Authentication.NEVER
    dispute: str | None = None
    early_fraud_warning: bool = False
    refund: str = "succeeded"

    @property
    def last4(self) -> str:
        return self.number[-4:]


def declining(number: str, alias: str, decline: str) -> TestCard:
    """A card that is declined when it is saved and when it is charged."""
    return TestCard(number, alias, DECLINES[decline].message, on_attach=decline, on_charge=decline)


SET_UP, ALWAYS = Authentication.UNLESS_SET_UP, Authentication.ALWAYS

CARDS = (
    TestCard("4242424242424242", "visa", "Succeeds"),
    TestCard("4000056655665556", "visa_debit", "Succeeds", funding="debit"),
    TestCard("5555555555554444", "mastercard", "Succeeds", brand="mastercard"),
    TestCard("5200828282828210", "mastercard_debit", "Succeeds", brand="mastercard", funding="debit"),
    TestCard("378282246310005", "amex", "Succeeds", brand="amex"),
    TestCard("6011111111111117", "discover", "Succeeds", brand="discover"),
    TestCard("4000002760000016", "de", "Succeeds", country="DE"),
    TestCard("4000008260000000", "gb", "Succeeds", country="GB"),
    declining("4000000000000002", "visa_chargeDeclined", "generic_decline"),
    declining("4000000000009995", "visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    declining("4000000000009987", "visa_chargeDeclinedLostCard", "lost_card"),
    declining("4000000000009979", "visa_chargeDeclinedStolenCard", "stolen_card"),
    declining("4000000000000069", "chargeDeclinedExpiredCard", "expired_card"),
    declining("4000000000000127", "chargeDeclinedIncorrectCvc", "incorrect_cvc"),
    declining("4000000000000119", "chargeDeclinedProcessingError", "processing_error"),
    declining("4000000000006975", "visa_chargeDeclinedVelocityLimitExceeded", "card_velocity_exceeded"),
    declining("4100000000000019", "radarBlock", "fraudulent"),
    TestCard("4000000000000341", "chargeCustomerFail", "Attaches, then every charge is declined",
        on_charge="generic_decline"),
    TestCard("4000002500003155", "authenticationRequiredOnSetup", "Authentication unless set up",
        authentication=SET_UP),
    TestCard("4000002760003184", "authenticationRequired", "Authentication always", authentication=ALWAYS),
    TestCard("4000000000003220", "threeDSecure2Required", "Authentication always", authentication=ALWAYS),
    TestCard("4000008260003178", "authenticationRequiredChargeDeclinedInsufficientFunds",
        "Authentication, then insufficient funds", on_charge="insufficient_funds", authentication=ALWAYS),
    TestCard("4000008400001629", "threeDSecureRequiredChargeDeclined", "Authentication, then declined",
        on_charge="generic_decline", authentication=ALWAYS),
    TestCard("4000003800000446", "authenticationRequiredSetupForOffSession", "Already set up for later payments"),
    TestCard("4000000000000259", "createDispute", "Each charge is disputed as fraudulent", dispute="fraudulent"),
    TestCard("4000000000002685", "createDisputeProductNotReceived", "Disputed: product not received",
        dispute="product_not_received"),
    TestCard("4000000000001976", "createDisputeInquiry", "Each charge is inquired about", dispute="inquiry"),
    TestCard("4000000000005423", "createIssuerFraudRecord", "Each charge gets an early fraud warning",
        early_fraud_warning=True),
    TestCard("4000000000007726", "pendingRefund", "A refund is pending, then succeeds", refund="pending"),
    TestCard("4000000000005126", "refundFail", "A refund succeeds, then fails", refund="failed"),
)  # fmt: skip

BY_NUMBER = {card.number: card for card in CARDS}
BY_ALIAS = {card.alias: card for card in CARDS}


def is_card_number(number: str) -> bool:
    """Tell whether the check digit is right (Luhn), which Stripe looks at before it asks a bank."""
    if not number.isascii() or not number.isdigit() or not 12 <= len(number) <= 19:
        return False
    doubled = [int(digit) * 2 for digit in number[-2::-2]]
    return (sum(int(digit) for digit in number[-1::-2]) + sum(value - 9 * (value > 9) for value in doubled)) % 10 == 0
